"""Jobs as people look at them: SQLAlchemy Core, pages by key, never by OFFSET."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.types import TypeDecorator

from qsuper.errors import NoSuchJob
from qsuper.states import State
from qsuper.store.counting import queue_names
from qsuper.store.database import Database
from qsuper.store.selection import LAST_CLAIM, Selection


class Moment(TypeDecorator[float]):
    """Unix time ↔ the date columns of either database, which hold UTC."""

    impl = String
    cache_ok = True

    def process_result_value(self, value: Any, _dialect: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
        return float(value.replace(tzinfo=UTC).timestamp())


class Name(TypeDecorator[str]):
    """str ↔ UTF-8: names are compared by bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: Any, _dialect: Any) -> str | None:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


_METADATA = MetaData()

QUEUE = Table(
    "queue",
    _METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("queue", String),
    Column("task", String),
    Column("param", Text),
    Column("name", Name),
    Column("status", Integer),
    Column("priority", Integer),
    Column("run_at", Moment),
    Column("attempt", Integer),
    Column("max_attempts", Integer),
    Column("timeout", Double),
    Column("max_age", Double),
    Column("worker", String),
    Column("claims", Integer),
    Column("cancel", Integer),
    Column("held_by", String),
    Column("group_id", BigInteger),
    Column("put_off_since", Moment),
    Column("started_at", Moment),
    Column("took_ms", Integer),
    Column("progress", String),
    Column("state", Text),
    Column("result", Text),
    Column("headers", Text),
    Column("ctime", Moment),
    Column("mtime", Moment),
)

ATTEMPTS = Table(
    "attempts",
    _METADATA,
    Column("job_id", BigInteger, primary_key=True),
    Column("claims", Integer, primary_key=True),
    Column("attempt", Integer),
    Column("worker", String),
    Column("node", String),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("outcome", String),
    Column("error", Text),
    Column("traceback", Text),
    Column("output", Text),
)


WATCHED_KEYS = Table(
    "watched_keys",
    _METADATA,
    Column("db", Integer, primary_key=True),
    Column("name", LargeBinary),
    Column("deadline", BigInteger),
    Column("kind", String),
    Column("value", LargeBinary),
    Column("state", Integer),
)
_VALUE_MOST = 1000
"""Bytes of a watched key's value that are worth looking at."""


_ERROR_MOST = 500
"""Letters of an error that a list holds."""


@dataclass(frozen=True, slots=True)
class Filter(Selection):
    """One page of those selected."""

    before: int | None = None
    """Only ids below this one: the last id of the page before."""
    most: int = 20


def jobs(database: Database, wanted: Filter) -> list[dict[str, Any]]:
    """The newest first, each with the error of its last attempt, if one failed.

    A look for one state names every queue: then an index serves it, and a few dead rows among
    ten million are found at once.
    """
    statement = select(QUEUE).order_by(QUEUE.c.id.desc()).limit(wanted.most)
    if wanted.state is not None:
        statement = statement.where(QUEUE.c.status == int(wanted.state))
    if wanted.queue is not None:
        statement = statement.where(QUEUE.c.queue == wanted.queue)
    elif wanted.state is not None:
        statement = statement.where(QUEUE.c.queue.in_(_queues(database)))
    if wanted.before is not None:
        statement = statement.where(QUEUE.c.id < wanted.before)
    conditions, values = wanted.conditions(database.backend)
    statement = statement.where(*map(text, conditions)).params(values)
    return _with_errors(database, _run(database, statement))


def some(database: Database, ids: list[int]) -> list[dict[str, Any]]:
    """Those of `ids` that are there, in the order of their ids, with their errors."""
    found = _run(database, select(QUEUE).where(QUEUE.c.id.in_(ids)).order_by(QUEUE.c.id))
    return _with_errors(database, found)


def _with_errors(database: Database, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    past = ATTEMPTS.alias("past")
    error = func.substr(past.c.error, 1, _ERROR_MOST).label("error")
    statement = select(past.c.job_id, error).where(
        past.c.job_id.in_([job["id"] for job in found]), past.c.claims == text(LAST_CLAIM)
    )
    errors = {row["job_id"]: row["error"] for row in _run(database, statement)} if found else {}
    return [job | {"error": errors.get(job["id"])} for job in found]


def timers(
    database: Database, *, queue: str | None = None, unnamed: bool = False, most: int = 20
) -> list[dict[str, Any]]:
    """What waits for its time and has a name, the next one first; with `unnamed` the rest, too.

    One look for each queue: then an index gives the rows in their order, however many wait.
    """
    columns = QUEUE.c["id", "name", "task", "queue", "run_at", "attempt"]
    statement = select(*columns).where(text(database.backend.words["scheduled"]))
    statement = statement.order_by(QUEUE.c.run_at).limit(most)
    if not unnamed:
        statement = statement.where(QUEUE.c.name.is_not(None))
    found: list[dict[str, Any]] = []
    for each in _queues(database) if queue is None else [queue]:
        found += _run(database, statement.where(QUEUE.c.queue == each))
    # A date that cannot be read comes first: a row like that is seen to at once.
    return sorted(found, key=lambda row: row["run_at"] or 0.0)[:most]


def watched(database: Database, *, most: int = 20) -> list[dict[str, Any]]:
    """Redis keys that are armed, the next one to expire first; values are cut to their head."""
    keys = WATCHED_KEYS.c
    statement = (
        select(
            keys.db,
            keys.name.label("key"),
            (keys.deadline / 1000.0).label("deadline"),
            keys.kind,
            func.substr(keys.value, 1, _VALUE_MOST, type_=LargeBinary).label("value"),
        )
        .where(keys.state == 0, keys.deadline.is_not(None))
        .order_by(keys.deadline)
        .limit(most)
    )
    return [row | {"deadline": float(row["deadline"])} for row in _run(database, statement)]


def job(database: Database, job_id: int) -> dict[str, Any]:
    """One job with all its failed attempts, the oldest first; raises `NoSuchJob`."""
    found = one(database, job_id)
    past = select(ATTEMPTS).where(ATTEMPTS.c.job_id == job_id).order_by(ATTEMPTS.c.claims)
    return found | {"attempts": _run(database, past)}


def one(database: Database, job_id: int) -> dict[str, Any]:
    """One job without them; raises `NoSuchJob`."""
    found = _run(database, select(QUEUE).where(QUEUE.c.id == job_id))
    if not found:
        raise NoSuchJob(f"there is no job {job_id}")
    return found[0]


def _queues(database: Database) -> list[str]:
    connection = database.connect()
    try:
        return queue_names(connection)
    finally:
        connection.close()


def _run(database: Database, statement: Any) -> list[dict[str, Any]]:
    connection = database.connect()
    try:
        with database.engine.connect() as bound:
            rows = [dict(row) for row in bound.execute(statement).mappings()]
    except Exception as error:
        raise database.translate(error) from error
    finally:
        connection.close()
    for row in rows:
        if "status" in row:
            # For readers `state` is what `status` says in a word.
            row["resume_state"] = row.pop("state")
            row["state"] = State(row.pop("status")).word
    return rows
