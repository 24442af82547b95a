"""One transaction for what a task writes and for its job's end: both are there, or neither is."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from qsuper.errors import StoreError, StoreUnavailable
from qsuper.failpoint import failpoint
from qsuper.job import Buried, Done, Failed, Job, Outcome, Snoozed
from qsuper.store.acking import complete_in
from qsuper.store.backend import Statement, StoreDeadlock
from qsuper.store.database import Connection, Database
from qsuper.store.lending import Lent

# A savepoint is gone with the transaction it was made in: releasing it tells whether that one is
# still open.
_SAVEPOINT = Statement("SAVEPOINT qsuper")
_RELEASE = Statement("RELEASE SAVEPOINT qsuper")
_COMMIT = Statement("COMMIT")
_ROLLBACK = Statement("ROLLBACK")

_AGAIN = (0.05, 0.3)
"""Seconds, from and to, after which a job is tried again that lost a race for locks."""
_UNCOUNTED_MOST = 100
"""Claims that may burn no attempt."""
ENDED = (
    "the task has ended its transaction itself (COMMIT, ROLLBACK, a statement like ALTER TABLE that"
    " commits, or a deadlock that it took for nothing): what it wrote may be there without this"
    " job's end"
)
NOT_MINE = "its claim was lost while it ran; what it wrote was rolled back"


def transact(
    database: Database,
    worker: str,
    job: Job,
    took: Callable[[], int],
    work: Callable[[Any], Outcome],
) -> Outcome:
    """Run `work` with a connection in an open transaction, and commit what it wrote together with
    the job's end when it is `Done`; roll back whatever else it is.

    The connection is of this job alone: another one shall find neither its session's settings nor
    the answer to a statement in which it was cut off. `took` tells the milliseconds since the job
    began. A `Done` that comes back is `written`. A connection that dies under the COMMIT gives
    `Failed`, whose guarded write then finds out which of the two it was: it waits for the row
    while the lost COMMIT may still be under way.
    """
    try:
        connection = database.connect_plain()
    except StoreError:
        return _again()
    try:
        try:
            begin(connection)
        except StoreError:
            # Nothing has happened yet, and it is no fault of the job's.
            return _again()
        return _run(connection, worker, job, took, work)
    finally:
        _abandon(connection)


def _run(
    connection: Connection,
    worker: str,
    job: Job,
    took: Callable[[], int],
    work: Callable[[Any], Outcome],
) -> Outcome:
    lent = Lent(connection.raw)
    outcome = work(lent)
    if isinstance(outcome, Done):
        lent.take_back()
        try:
            return _end(connection, worker, job, took(), outcome)
        except StoreError as error:
            outcome = Failed(f"the database, in the job's transaction: {error}", cause=error)
    if _lost_a_race(connection, outcome) and job.claims - job.attempt < _UNCOUNTED_MOST:
        return _again()
    return outcome


def _abandon(connection: Connection) -> None:
    """Roll back what is not committed, and close."""
    if connection.backend.name == "sqlite":
        # A cursor that a traceback keeps alive keeps a closed connection's locks, too. A MySQL
        # server rolls back by itself, and may have answers under way that nobody will read.
        with suppress(StoreError):
            connection.run(_ROLLBACK)
    connection.close()


def _again() -> Outcome:
    return Snoozed(random.uniform(*_AGAIN))


def _lost_a_race(connection: Connection, outcome: Outcome) -> bool:
    """Whether it was a deadlock: the same again will do better, and it is no fault of the job's."""
    cause = outcome.cause if isinstance(outcome, Failed) else None
    if not isinstance(cause, Exception):
        return False
    return isinstance(connection.database.translate(cause), StoreDeadlock)


def begin(connection: Connection) -> None:
    connection.run(Statement(connection.backend.begin))
    connection.run(_SAVEPOINT)


def _end(connection: Connection, worker: str, job: Job, took_ms: int, outcome: Done) -> Outcome:
    failpoint("before-end")
    try:
        connection.run(_RELEASE)
    except StoreUnavailable:
        raise
    except StoreError:
        return Buried(ENDED)
    if not complete_in(connection, worker, job, took_ms=took_ms, result=outcome.result):
        return Failed(NOT_MINE)
    failpoint("before-commit")
    connection.run(_COMMIT)
    failpoint("committed")
    return replace(outcome, written=True)
