"""The claim: a look without locks over a bounded window, then one guarded UPDATE."""

import random
from dataclasses import dataclass, field
from typing import Any

from qsuper.failpoint import failpoint
from qsuper.job import Job
from qsuper.slices import WHOLE, Slice, help_size, window_size
from qsuper.store.acking import bury_unrun
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection

_COLUMNS = """
    q.id, q.task, q.param, q.attempt, q.max_attempts, q.timeout, q.claims, q.solo,
    CASE WHEN q.run_at > {now} THEN 1 WHEN q.run_at < '1970-01-02' THEN 2 ELSE 0 END
"""

_OF_SLICE = Statement(
    f"""
    SELECT {_COLUMNS} FROM (
        SELECT id FROM (
            SELECT id, priority FROM queue WHERE queue = :queue AND status = 0
            ORDER BY priority, id LIMIT :window
        ) w WHERE id % :count = :index ORDER BY priority, id LIMIT :most
    ) mine JOIN queue q ON q.id = mine.id ORDER BY q.priority, q.id
    """
)

_OF_ALL = Statement(
    f"""
    SELECT {_COLUMNS}, q.priority FROM (
        SELECT id FROM queue WHERE queue = :queue AND status = 0 ORDER BY priority, id LIMIT :most
    ) head JOIN queue q ON q.id = head.id ORDER BY q.priority, q.id
    """
)

_CLAIM = Statement(
    """
    UPDATE queue SET status = 2, worker = :worker, claims = claims + 1, attempt = attempt + 1,
        solo = :solo, started_at = {now}, mtime = {now}
    WHERE id IN {ids} AND {status} = 0 AND run_at <= {now}
    """
)

_FREE_ROWS = Statement("SELECT id FROM queue WHERE id IN {ids} AND {status} = 0 {skip_locked}")

_MINE = Statement(
    """
    SELECT id, claims FROM queue WHERE id IN {ids} AND {status} = 2 AND worker = :worker
    """
)

_EARLY = Statement(
    """
    SELECT id FROM (
        SELECT id, run_at FROM queue WHERE queue = :queue AND status = 0
        ORDER BY priority, id LIMIT 1000
    ) w WHERE run_at > {now}
    """
)

_PARK = Statement(
    """
    UPDATE queue SET status = 4, mtime = {now} WHERE id IN {ids} AND {status} = 0 AND run_at > {now}
    """
)

_SOLO_AGAIN = 2
"""`solo` of a row whose batch died unseen: claimed alone next time, to tell who is guilty."""


@dataclass(slots=True)
class Claim:
    """What a claim brought."""

    jobs: list[Job] = field(default_factory=list)
    conflicts: int = 0
    """Rows that somebody else took between the look and the claim."""
    helped: bool = False
    """The rows are of other slices."""


def claim(
    connection: Connection,
    *,
    queue: str,
    worker: str,
    mine: Slice = WHOLE,
    most: int = 1,
    helps: bool = True,
    everyone: bool = False,
) -> Claim:
    """Take up to `most` jobs for `worker`, in the order in which they are to run.

    Own slice first; when the window holds none of it, `helps` with others' rows. `everyone`
    ignores the slice: the head of the whole queue, so that no row waits for a busy worker.
    Raises `OutcomeUnknown` when the connection died: then `release_strays` on a new one decides.
    """
    look = _look(connection, queue, mine, most, helps, everyone)
    if any(row[8] for row in look.rows):
        if _put_right(connection, queue, look.rows):
            look = _look(connection, queue, mine, most, helps, everyone)
        look.rows = [row for row in look.rows if not row[8]]
    if not look.rows:
        return Claim()
    chosen = _alone_or_together(look.rows)
    jobs = {
        row[0]: Job(row[0], row[1], row[2], row[3] + 1, row[4], row[5], row[6] + 1)
        for row in chosen
    }
    failpoint("candidates-read")
    ids = list(jobs)
    solo = 1 if len(ids) == 1 else 0
    try:
        taken = connection.run(_CLAIM, worker=worker, solo=solo, ids=ids)
    except StoreBusy:
        taken = _take_unlocked(connection, worker, solo, ids)
    failpoint("claim-sent")
    if taken != len(ids):
        mine_now = dict(connection.rows(_MINE, ids=ids, worker=worker))
        jobs = {id: job for id, job in jobs.items() if id in mine_now}
        for job in jobs.values():
            job.claims = mine_now[job.id]
    failpoint("claimed")
    return Claim(list(jobs.values()), len(ids) - len(jobs), look.helped)


@dataclass(slots=True)
class _Look:
    rows: list[Any]
    helped: bool = False


def _look(
    connection: Connection, queue: str, mine: Slice, most: int, helps: bool, everyone: bool
) -> _Look:
    if everyone or mine.count == 1:
        return _Look(connection.rows(_OF_ALL, queue=queue, most=most))
    rows = connection.rows(
        _OF_SLICE,
        queue=queue,
        window=window_size(mine.count, most),
        count=mine.count,
        index=mine.index,
        most=most,
    )
    if rows or not helps:
        return _Look(rows)
    head = connection.rows(_OF_ALL, queue=queue, most=help_size(most))
    urgent = [row for row in head if row[9] == head[0][9]]
    picked = random.sample(urgent, min(most, len(urgent)))
    return _Look(sorted(picked, key=lambda row: row[0]), helped=bool(picked))


def _alone_or_together(rows: list[Any]) -> list[Any]:
    if rows[0][7] == _SOLO_AGAIN:
        return rows[:1]
    return [row for row in rows if row[7] != _SOLO_AGAIN]


def _put_right(connection: Connection, queue: str, rows: list[Any]) -> bool:
    """Park rows that lie ahead, bury those with a zero date; True when some were moved."""
    moved = 0
    if zeros := [row[0] for row in rows if row[8] == 2]:
        moved += bury_unrun(connection, zeros, "run_at is no date: set one and retry it")
    if any(row[8] == 1 for row in rows):
        moved += park(connection, queue)
    return moved > 0


def park(connection: Connection, queue: str) -> int:
    """Ready rows with a `run_at` ahead become scheduled: they would clog the ready index."""
    early = [row[0] for row in connection.rows(_EARLY, queue=queue)]
    return connection.run(_PARK, ids=early) if early else 0


def _take_unlocked(connection: Connection, worker: str, solo: int, ids: list[int]) -> int:
    """Somebody's open transaction holds one of the rows: take the others."""
    if connection.backend.name == "sqlite":
        raise StoreBusy
    with connection.transaction():
        free = [row[0] for row in connection.rows(_FREE_ROWS, ids=ids)]
        return connection.run(_CLAIM, worker=worker, solo=solo, ids=free) if free else 0


_RELEASE = Statement(
    """
    UPDATE queue SET status = CASE WHEN cancel = 1 THEN 5 ELSE 0 END,
        attempt = {less_one}, worker = NULL, solo = :solo, mtime = {now}
    WHERE id IN {ids} AND {status} = 2 AND worker = :worker AND claims = :claims
    """
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
        connection.run(_RELEASE, ids=ids, worker=worker, claims=claims, solo=solo)
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
