"""An empty database for a test, and the application's Queue on it."""

import functools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from qsuper.client import Queue
from qsuper.config import Config, RedisConfig, StoreConfig
from qsuper.errors import QsuperError
from qsuper.store import schema
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, Database
from qsuper.testing.connections import ClosingDatabase

EMPTIED = (
    "attempts",
    "job_groups",
    "limits",
    "nodes",
    "queue",
    "queues",
    "rates",
    "schedule_runs",
    "schedules",
    "watched_keys",
)
"""Every table of qsuper's that holds what happened; those of its own version stay."""

MARK = "qsuper_testing"
"""A table that says: this database was empty when a test came, and is the tests' own."""

_MARK = Statement(f"CREATE TABLE {MARK} (made INTEGER)")
_MARKED = Statement(f"SELECT COUNT(*) FROM {MARK}")


@contextmanager
def empty_database(queue: Queue, url: str | None = None) -> Iterator[Queue]:
    """While the block runs, `queue` works on an empty database and with no Redis.

    Without a `url` that is a SQLite file in a temporary folder. A database that is given must have
    no tables of qsuper's, or those of earlier tests, whose rows are then deleted; any other raises
    `QsuperError`. The rest of the configuration holds.
    """
    with tempfile.TemporaryDirectory(prefix="qsuper-") as folder, _as_it_was(queue):
        own = f"sqlite:///{folder}/qsuper.db"
        store = replace(queue.config.store, url=url or own)
        config = replace(queue.config, store=store, state_dir=folder, redis=RedisConfig())
        if url is None:
            Path(folder, "qsuper.db").write_bytes(_template())
        else:
            _make_empty(store)
        database = _move(queue, config)
        try:
            yield queue
        finally:
            database.close()


def check_it_is_a_tests(queue: Queue) -> None:
    """Raise `QsuperError` unless `queue` works on an empty database: real jobs would be run, or
    real timers moved."""
    if not isinstance(vars(queue).get("database"), ClosingDatabase):
        raise QsuperError(
            "these would be real jobs: take the fixture qsuper_queue, or empty_database(queue)"
        )


def _move(queue: Queue, config: Config) -> ClosingDatabase:
    _forget(queue)
    database = ClosingDatabase(config.store)
    queue.config, queue.database = config, database
    return database


@contextmanager
def _as_it_was(queue: Queue) -> Iterator[None]:
    """Afterwards the queue works where it did before."""
    kept = {name: vars(queue)[name] for name in _worked_out(queue)}
    try:
        yield
    finally:
        _forget(queue)
        vars(queue).update(kept)


def _forget(queue: Queue) -> None:
    for name in _worked_out(queue):
        del vars(queue)[name]


def _worked_out(queue: Queue) -> list[str]:
    """What a Queue has worked out of its configuration so far: connections, too."""
    known = [name for name, one in vars(Queue).items() if isinstance(one, cached_property)]
    return [name for name in known if name in vars(queue)]


@functools.cache
def _template() -> bytes:
    """An empty SQLite database: to make one takes a third of a second, to copy it a millisecond."""
    with tempfile.TemporaryDirectory(prefix="qsuper-") as folder:
        path = Path(folder, "template.db")
        schema.upgrade(Database(f"sqlite:///{path}"))
        if [*Path(folder).iterdir()] != [path]:
            raise QsuperError("the new database is still open: what is in its file is not all")
        return path.read_bytes()


def _make_empty(store: StoreConfig) -> None:
    database = ClosingDatabase(store)
    try:
        connection = database.connect()
        if schema.version(connection) is None:
            connection.run(_MARK)
            schema.upgrade(database)
        elif not _is_ours(connection):
            raise QsuperError(
                f"the database of {database.engine.url!r} has jobs that are no test's, and they"
                " would be deleted: name an empty database for the tests"
            )
        schema.upgrade(database)
        with connection.transaction():
            for table in EMPTIED:
                connection.run(Statement(f"DELETE FROM {table}"))
    finally:
        database.close()


def _is_ours(connection: Connection) -> bool:
    try:
        connection.rows(_MARKED)
    except QsuperError:
        return False
    return True
