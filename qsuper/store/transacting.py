"""One transaction for what a task writes and for its job's end: both are there, or neither is."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qsuper.errors import StoreError
from qsuper.failpoint import failpoint
from qsuper.job import Buried, Done, Failed, Job, Outcome, Snoozed
from qsuper.store.acking import complete_in
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection, Link
from qsuper.store.lending import Lent

# A savepoint is gone with the transaction it was made in: releasing it tells whether that one is
# still open.
_SAVEPOINT = Statement("SAVEPOINT qsuper")
_RELEASE = Statement("RELEASE SAVEPOINT qsuper")
_COMMIT = Statement("COMMIT")
_ROLLBACK = Statement("ROLLBACK")

_AGAIN = (0.05, 0.3)
"""Seconds, from and to, after which a job is tried again that found the rows or the file locked."""
_UNCOUNTED_MOST = 100
"""Claims that may burn no attempt: who locks himself out by a second connection must end, too."""
ENDED = (
    "the task has ended its transaction itself (COMMIT, ROLLBACK, or a statement like ALTER TABLE"
    " that commits): what it wrote may be there without this job's end"
)
NOT_MINE = "its claim was lost while it ran; what it wrote was rolled back"


def transact(
    link: Link, worker: str, job: Job, took: Callable[[], int], work: Callable[[Any], Outcome]
) -> Outcome:
    """Run `work` with a connection in an open transaction, and commit what it wrote together with
    the job's end when it is `Done`; roll back whatever else it is.

    `took` tells the milliseconds since the job began. A `Done` that comes back is `written`. A
    connection that dies under the COMMIT gives `Failed`, whose guarded write then finds out which
    of the two it was: it waits for the row while the lost COMMIT may still be under way.
    """
    try:
        connection = link.connection
        begin(connection)
    except StoreError:
        # Nothing has happened yet, and it is no fault of the job's.
        link.drop()
        return Snoozed(random.uniform(*_AGAIN))
    try:
        outcome = work(Lent(connection.raw))
        if isinstance(outcome, Done):
            return _end(link, connection, worker, job, took(), outcome)
        _roll_back(link, connection)
        if _lost_a_race(link, outcome) and job.claims - job.attempt < _UNCOUNTED_MOST:
            return Snoozed(random.uniform(*_AGAIN))
        return outcome
    except StoreError as error:
        link.drop()
        return Failed(f"the database, in the job's transaction: {error}", cause=error)
    except BaseException:
        # The task was cut off anywhere, perhaps in the middle of a statement.
        link.drop()
        raise


def _lost_a_race(link: Link, outcome: Outcome) -> bool:
    """Whether the task lost a race for locks (a deadlock): the same again will do better.

    On SQLite it holds the write lock from the beginning, so that nobody can be before it but
    another connection of its own.
    """
    cause = outcome.cause if isinstance(outcome, Failed) else None
    if link.database.backend.name == "sqlite" or not isinstance(cause, Exception):
        return False
    return isinstance(link.database.translate(cause), StoreBusy)


def begin(connection: Connection) -> None:
    connection.run(Statement(connection.backend.begin))
    connection.run(_SAVEPOINT)


def _end(
    link: Link, connection: Connection, worker: str, job: Job, took_ms: int, outcome: Done
) -> Outcome:
    failpoint("before-commit")
    try:
        connection.run(_RELEASE)
    except StoreError:
        link.drop()
        return Buried(ENDED)
    if not complete_in(connection, worker, job, took_ms=took_ms, result=outcome.result):
        _roll_back(link, connection)
        return Failed(NOT_MINE)
    failpoint("before-commit-sent")
    connection.run(_COMMIT)
    failpoint("committed")
    return replace(outcome, written=True)


def _roll_back(link: Link, connection: Connection) -> None:
    try:
        connection.run(_ROLLBACK)
    except StoreError:
        link.drop()
