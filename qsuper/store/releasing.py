"""Giving back what was claimed and has not begun; its attempt does not count."""

from qsuper.failpoint import failpoint
from qsuper.job import Job
from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.locked import run_around_locks

_RELEASE = Statement(
    """
    UPDATE queue SET status = CASE WHEN cancel = 1 THEN 5 ELSE 0 END,
        attempt = {less_one}, worker = NULL, solo = :solo, mtime = {now}
    WHERE id IN {ids} AND {status} = 2 AND worker = :worker AND claims = :claims
    """
)

_RELEASE_OWNERLESS = Statement(
    "UPDATE queue SET status = 0, mtime = {now}"
    " WHERE id IN {ids} AND {status} = 2 AND worker IS NULL"
)

_HELD_BY = Statement(
    """
    SELECT id, claims FROM queue WHERE queue = :queue AND status = 2 AND worker = :worker
    """
)


def release(connection: Connection, worker: str, jobs: list[Job], *, solo: int = 0) -> int:
    """Give back what has not begun; its attempt does not count. Returns how many went back.

    Names the fence of each row: a release that arrives late must not free a later claim.
    """
    by_claims: dict[int, list[int]] = {}
    for job in jobs:
        by_claims.setdefault(job.claims, []).append(job.id)
    freed = sum(
        run_around_locks(
            connection, _RELEASE, ids, State.RUNNING, worker=worker, claims=claims, solo=solo
        )
        for claims, ids in by_claims.items()
    )
    failpoint("give-back-sent")
    return freed


def release_strays(
    connection: Connection, queue: str, worker: str, known: frozenset[int] = frozenset()
) -> int:
    """Free running rows that carry `worker` but that it does not know of: late claims."""
    strays = [
        Job(row[0], "", None, 0, None, None, row[1])
        for row in connection.rows(_HELD_BY, queue=queue, worker=worker)
        if row[0] not in known
    ]
    return release(connection, worker, strays) if strays else 0


def release_ownerless(connection: Connection, ids: list[int]) -> int:
    """Free running rows of nobody: a stranger wrote them so."""
    return run_around_locks(connection, _RELEASE_OWNERLESS, ids, State.RUNNING)
