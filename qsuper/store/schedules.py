"""Schedules and their due times: up to when each is decided, and what became of each.

`since` of a schedule is a mark that only moves forward: every due time up to it is decided. Who
moves it, by a guarded UPDATE, decides those that it passes, and writes them and their jobs in the
same transaction: whoever else has seen them due finds the mark moved. Nobody is in charge.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.enqueueing import moment

PRUNED_AT_ONCE = 500
"""Rows deleted by one statement."""

_ALL = Statement(
    """
    SELECT name, definition, since, {unix:since}, paused, {unix_now} FROM schedules ORDER BY name
    """
)
_ENTER = Statement(
    """
    INSERT INTO schedules (name, definition) VALUES (:name, :definition)
    {on_same_name} paused = schedules.paused
    """
)
_GUARD = "name = :name AND since = :mark AND definition = :known AND paused = :paused"
_PASS = Statement(f"UPDATE schedules SET since = :until WHERE {_GUARD}")
_BEGIN_ANEW = Statement(
    f"UPDATE schedules SET since = :until, definition = :definition WHERE {_GUARD}"
)
_SET_PAUSED = Statement(
    "UPDATE schedules SET paused = :paused WHERE name = :name AND paused <> :paused"
)
_DECIDED = Statement(
    """
    SELECT {unix:due_at} FROM schedule_runs
    WHERE name = :name AND due_at > :after AND due_at <= :until
    """
)
_RECORD = Statement(
    "INSERT INTO schedule_runs (name, due_at, job_id, note) VALUES (:name, :due, :job, :note)"
)
_LAST = Statement(
    """
    SELECT {unix:due_at}, job_id, (SELECT status FROM queue WHERE id = job_id) FROM schedule_runs
    WHERE name = :name AND job_id IS NOT NULL ORDER BY due_at DESC LIMIT 1
    """
)
_NOTES = Statement(
    """
    SELECT note, COUNT(*) FROM schedule_runs WHERE name = :name AND job_id IS NULL GROUP BY note
    """
)
_FORGET_FUTURE = Statement("DELETE FROM schedule_runs WHERE name = :name AND due_at > :until")
_OLD = Statement(
    f"""
    SELECT due_at FROM schedule_runs WHERE name = :name AND due_at < :before
    ORDER BY due_at LIMIT {PRUNED_AT_ONCE}
    """
)
_PRUNE = Statement("DELETE FROM schedule_runs WHERE name = :name AND due_at <= :last")
_FORGET = Statement(f"DELETE FROM schedules WHERE {_GUARD}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A schedule as the table has it."""

    name: str
    definition: str
    since: float | None
    """Unix time up to which all is decided; None when it cannot be read."""
    paused: bool
    now: float
    """The database's clock as this was read."""
    mark: Any
    """`since` as the table has it, to name it in a guard."""

    @property
    def _guard(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "mark": self.mark,
            "known": self.definition,
            "paused": int(self.paused),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a due time: a job, or a word why there is none."""

    due: int
    """Unix time."""
    job_id: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Last:
    """The newest due time of a schedule that became a job."""

    due: int
    job_id: int
    status: int | None
    """The job's state; None once it is pruned."""


def read(connection: Connection) -> dict[str, Entry]:
    """All schedules by name."""
    return {
        str(name): Entry(
            name=str(name),
            definition=str(definition),
            # SQLite's dates are floats of days: good for some 40 microseconds.
            since=None if since is None else round(float(since), 3),
            paused=bool(paused),
            now=float(now),
            mark=mark,
        )
        for name, definition, mark, since, paused, now in connection.rows(_ALL)
    }


def enter(connection: Connection, name: str, definition: str) -> None:
    """Note a schedule that was never seen: it begins now. One that is there stays as it is."""
    connection.run(_ENTER, name=name, definition=definition)


def move_on(connection: Connection, entry: Entry, until: float) -> Entry | None:
    """Move the mark; the entry as it is then, or None when somebody was quicker.

    What lies between is the caller's to `record`, in the same transaction.
    """
    mark = moment(until, connection.backend)
    if not connection.run(_PASS, until=mark, **entry._guard):
        return None
    return replace(entry, since=until, mark=mark)


def decided(connection: Connection, name: str, since: float, until: float) -> set[int]:
    """The due times in between that are decided although the mark had not passed them: somebody
    has set it back. Needs the transaction in which it was moved."""
    rows = connection.rows(_DECIDED, name=name, after=_date(since), until=_date(until))
    return {round(row[0]) for row in rows}


def record(connection: Connection, name: str, runs: Iterable[Run]) -> None:
    """Write down what became of due times; each is the table's only one of its name."""
    rows = [
        {"name": name, "due": _date(run.due), "job": run.job_id, "note": run.note} for run in runs
    ]
    if rows:
        connection.many(_RECORD, rows)


def begin_anew(connection: Connection, entry: Entry, definition: str) -> bool:
    """Have a schedule begin at `entry.now`, under this definition; False when somebody was
    quicker. What was decided of the time to come is forgotten. Needs a transaction."""
    until = moment(entry.now, connection.backend)
    if not connection.run(_BEGIN_ANEW, until=until, definition=definition, **entry._guard):
        return False
    connection.run(_FORGET_FUTURE, name=entry.name, until=_date(entry.now))
    return True


def last(connection: Connection, name: str) -> Last | None:
    """The newest run that made a job."""
    row = connection.row(_LAST, name=name)
    return None if row is None else Last(round(row[0]), row[1], row[2])


def notes(connection: Connection, name: str) -> dict[str, int]:
    """How many due times made no job, by the reason."""
    return {str(note): count for note, count in connection.rows(_NOTES, name=name)}


def set_paused(connection: Connection, name: str, paused: bool) -> bool:
    """Pause or resume; False when it is so already, or there is no such schedule."""
    return bool(connection.run(_SET_PAUSED, name=name, paused=int(paused)))


def prune(connection: Connection, keep: float, known: Collection[str] = ()) -> int:
    """Delete runs older than `keep` seconds, at most `PRUNED_AT_ONCE` of each schedule; returns
    how many. The newest job of each stays, and so do the marks: nothing is decided twice.

    A schedule that is none of `known` and whose mark nobody has moved for so long goes, too.
    """
    deleted = 0
    for entry in read(connection).values():
        before = entry.now - keep
        gone = entry.name not in known and (entry.since is None or entry.since < before)
        newest = None if gone else last(connection, entry.name)
        if newest is not None:
            before = min(before, newest.due)
        old = connection.rows(_OLD, name=entry.name, before=_date(before))
        if old:
            deleted += connection.run(_PRUNE, name=entry.name, last=old[-1][0])
        elif gone:
            connection.run(_FORGET, **entry._guard)
    return deleted


def _date(unix: float) -> str:
    """As `due_at` holds it: UTC, whole seconds."""
    return datetime.fromtimestamp(int(unix), UTC).strftime("%Y-%m-%d %H:%M:%S")
