"""How a job comes to be: one INSERT; or, under a name, one statement that inserts or moves.

The statements run on any connection that is a `Writer`: ours, or a caller's inside its own
transaction.
"""

import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any, Protocol

from qsuper.errors import JobIsEnding
from qsuper.job import DEFAULT_QUEUE, NewJob
from qsuper.store.backend import Backend, Statement

ROWS_PER_INSERT = 1000


class Writer(Protocol):
    """A connection on which jobs are written."""

    @property
    def backend(self) -> Backend: ...
    @property
    def borrowed(self) -> bool:
        """Whether it is a caller's, with a time zone of its own."""
        ...

    def run(self, statement: Statement, **params: Any) -> int: ...
    def insert(self, statement: Statement, **params: Any) -> int: ...
    def many(self, statement: Statement, rows: list[dict[str, Any]]) -> None: ...
    def rows(self, statement: Statement, **params: Any) -> list[Any]: ...


_COLUMNS = (
    "queue",
    "task",
    "param",
    "name",
    "status",
    "priority",
    "max_attempts",
    "timeout",
    "max_age",
    "group_id",
    "headers",
)
_NAMED = ", ".join(_COLUMNS)
_BOUND = ", ".join(f":{column}" for column in _COLUMNS)

# Without a time of its own a row takes the column's default, and drivers can send many at once.
_RUN_AT = {"now": "", "delay": "{in:delay}", "at": ":at"}


def _insertion(when: str, columns: tuple[str, ...]) -> Statement:
    names, values = list(columns), [f":{column}" for column in columns]
    if when != "now":
        names.append("run_at")
        values.append(_RUN_AT[when])
    return Statement(f"INSERT INTO queue ({', '.join(names)}) VALUES ({', '.join(values)})")


_INSERT = {when: _insertion(when, _COLUMNS) for when in _RUN_AT}
_DEFAULTS = {"queue": DEFAULT_QUEUE, "status": 0, "priority": 0}
"""What a column holds of which nothing is said; NULL where it is not here."""
_of_columns = cache(_insertion)
_KEEP = {
    when: Statement(f"{statement.text} {{on_twin}} name = queue.name")
    for when, statement in _INSERT.items()
}
_MOVED = (
    "queue",
    "task",
    "param",
    "priority",
    "max_attempts",
    "timeout",
    "max_age",
    "group_id",
    "headers",
)


def _move_statement(when: str, run_at: str) -> Statement:
    """Insert, or move the row that has the name if it waits.

    `status` comes last: MySQL assigns from left to right, and every CASE shall see the old one.
    `claims` grows, so that a claim whose look came before the move is refused.
    """
    values = {column: f":{column}" for column in _MOVED}
    values |= {
        "attempt": "0",
        "claims": "queue.claims + 1",
        "put_off_since": "NULL",
        "held_by": "NULL",
    }
    values |= {"run_at": run_at, "status": ":status"}
    changes = ", ".join(
        f"{column} = CASE WHEN queue.status IN (0, 4, 6) THEN {value} ELSE queue.{column} END"
        for column, value in values.items()
    )
    return Statement(f"{_INSERT[when].text} {{on_twin}} mtime = {{now}}, {changes}")


_MOVE = {
    "now": _move_statement("now", "{now}"),
    "delay": _move_statement("delay", "{in:delay}"),
    "at": _move_statement("at", ":at"),
}

_LIVE = Statement("SELECT id, status, cancel FROM queue WHERE {live} {as_it_is}")
_TAKE_NAME_OFF = Statement(
    "UPDATE queue SET name = NULL WHERE id = :id AND status = 2 AND cancel = 0"
)
_NOW = Statement("SELECT {unix_now}")
_TAKE_TOKEN_OFF = Statement("UPDATE queue SET worker = NULL WHERE id = :id")
_CANCEL = Statement(
    "UPDATE queue SET status = 5, held_by = NULL, mtime = {now}"
    " WHERE id = :id AND status IN (0, 4, 6)"
)
_REPLACE = {
    when: Statement(
        statement.text.replace(_NAMED, f"{_NAMED}, worker").replace(_BOUND, f"{_BOUND}, :token")
        + " {on_twin} name = queue.name"
    )
    for when, statement in _INSERT.items()
}
_LIVE_OF = Statement("SELECT id, status, cancel, worker FROM queue WHERE {live} {as_it_is}")


def _row(job: NewJob, backend: Backend) -> tuple[str, dict[str, Any]]:
    """In which way its time is given, and its columns."""
    name: str | bytes | None = job.name
    if job.name is not None and backend.name == "mysql":
        name = job.name.encode()
    row: dict[str, Any] = {
        "queue": job.queue,
        "task": job.task,
        "param": job.param,
        "name": name,
        "status": 0,
        "priority": job.priority,
        "max_attempts": job.max_attempts,
        "timeout": job.timeout,
        "max_age": job.max_age,
        "group_id": job.group,
        "headers": json.dumps(dict(job.headers)) if job.headers else None,
    }
    if job.at is not None:
        return "at", row | {"status": 4, "at": moment(job.at, backend)}
    if job.delay is not None and job.delay > 0:
        return "delay", row | {"status": 4, "delay": job.delay}
    return "now", row


def moment(unix: float, backend: Backend) -> str:
    """A date as the tables hold it, in UTC, kept within what the column can hold."""
    kept = min(max(unix, 86_400.0), backend.latest)
    text = datetime.fromtimestamp(kept, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return text if backend.name == "mysql" else text[:-3]


def _lean(when: str, row: dict[str, Any]) -> tuple[Statement, dict[str, Any]]:
    """The INSERT of a row that leaves out what its columns have by default: half the time of
    both sides (docs/decisions/0016-speed.md)."""
    said = {name: value for name, value in row.items() if value != _DEFAULTS.get(name)}
    columns = tuple(name for name in said if name != when)
    return _of_columns(when, columns), said


def insert(writer: Writer, job: NewJob) -> int:
    """Add an unnamed job and return its id."""
    when, row = _row(job, writer.backend)
    with _utc(writer, when):
        return _insert_row(writer, when, row)


def _insert_row(writer: Writer, when: str, row: dict[str, Any]) -> int:
    statement, said = _lean(when, row)
    return writer.insert(statement, **said)


def insert_many(writer: Writer, job: NewJob, params: Iterable[str | None]) -> int:
    """Add a job like the unnamed `job` for each of `params`, a thousand at a time; returns how
    many. Needs a transaction.

    A `delay` is counted from one look at the database's clock.
    """
    when, row = _row(job, writer.backend)
    if when == "delay":
        now = float(writer.rows(_NOW)[0][0])
        when, row["at"] = "at", moment(now + row.pop("delay"), writer.backend)
    _, said = _lean(when, row)
    said["param"] = None
    statement = _of_columns(when, tuple(name for name in said if name != when))
    count = 0
    source = iter(params)
    with _utc(writer, when):
        while chunk := list(islice(source, ROWS_PER_INSERT)):
            writer.many(statement, [{**said, "param": param} for param in chunk])
            count += len(chunk)
    return count


def keep(writer: Writer, job: NewJob) -> int:
    """Add a named job unless a live one has the name; returns the id of the one that lives.

    Needs a transaction.
    """
    when, row = _row(job, writer.backend)
    with _utc(writer, when):
        writer.run(_KEEP[when], **row)
        return int(writer.rows(_LIVE, name=row["name"])[0][0])


def move(writer: Writer, job: NewJob) -> int:
    """Set a named job, or move the waiting one of this name; returns its id.

    A running one loses its name to a new row; one that is being cancelled raises `JobIsEnding`.
    One statement decides, and the row is read back to learn what it did: insert-catch-update
    deadlocks two callers, and row counts cannot tell inserted from untouched. Needs a transaction.
    """
    when, row = _row(job, writer.backend)
    # Even without a time of its own: the row's old date is read and written.
    with _utc(writer, "at"):
        writer.run(_MOVE[when], **row)
        job_id, status, cancel = writer.rows(_LIVE, name=row["name"])[0]
        if status != 2:
            return int(job_id)
        if cancel or not writer.run(_TAKE_NAME_OFF, id=job_id):
            raise JobIsEnding
        return _insert_row(writer, when, row)


def replace(writer: Writer, job: NewJob) -> int:
    """Add a named job in the place of the one of this name: one that waits is cancelled, a running
    one loses its name. Returns the new id; raises `JobIsEnding`. Needs a transaction.

    The first statement inserts, or locks the twin; whose the row is tells a token in it. To look
    first, and insert then, deadlocks two callers.
    """
    when, row = _row(job, writer.backend)
    token = f"new {secrets.token_hex(12)}"
    with _utc(writer, when):
        writer.run(_REPLACE[when], token=token, **row)
        job_id, status, cancel, owner = writer.rows(_LIVE_OF, name=row["name"])[0]
        if owner == token:
            writer.run(_TAKE_TOKEN_OFF, id=job_id)
            return int(job_id)
        gone = writer.run(_CANCEL, id=job_id) if status != 2 else 0
        if not gone and (cancel or not writer.run(_TAKE_NAME_OFF, id=job_id)):
            raise JobIsEnding
        return _insert_row(writer, when, row)


_SAVE_ZONE = Statement("SET @qsuper_time_zone = @@SESSION.time_zone, time_zone = '+00:00'")
_RESTORE_ZONE = Statement("SET time_zone = @qsuper_time_zone")


@contextmanager
def _utc(writer: Writer, when: str) -> Iterator[None]:
    """Write dates under UTC on a caller's connection: a DST change would move them by an hour."""
    if when == "now" or not writer.borrowed or writer.backend.name != "mysql":
        yield
        return
    writer.run(_SAVE_ZONE)
    try:
        yield
    finally:
        writer.run(_RESTORE_ZONE)
