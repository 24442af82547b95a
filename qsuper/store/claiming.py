"""The claim: a look without locks over a bounded window, then one guarded UPDATE."""

import random
from dataclasses import dataclass, field
from typing import Any

from qsuper.failpoint import failpoint
from qsuper.job import Job
from qsuper.slices import WHOLE, Slice, help_size, window_size
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection
from qsuper.store.misfits import MISFIT, put_right

_COLUMNS = f"""
    q.id, q.task, q.param, q.attempt, q.max_attempts, q.timeout, q.claims, q.solo,
    {MISFIT} + CASE WHEN q.group_id IS NULL THEN 0 ELSE 4 END
    + COALESCE({{waited:q.run_at}}, 0) * 8
"""
_MISFITS, _GROUPED, _WAITED_AT = 3, 4, 3
"""The last column's bits: the lowest two say what is wrong with the row, the next whether it is of
a group, and those from `_WAITED_AT` on are the microseconds that it has waited: one column more
would cost a worker a twentieth of what it does for a quick job."""

OF_SLICE = Statement(
    f"""
    SELECT {_COLUMNS} FROM (
        SELECT id FROM (
            SELECT id, priority FROM queue WHERE queue = :queue AND status = 0
            ORDER BY priority, id LIMIT :window
        ) w WHERE id % :count BETWEEN :index AND :last ORDER BY priority, id LIMIT :most
    ) mine JOIN queue q ON q.id = mine.id ORDER BY q.priority, q.id
    """
)

_OF_FAR_SLICE = Statement(
    f"""
    SELECT {_COLUMNS} FROM (
        SELECT id FROM queue
        WHERE queue = :queue AND status = 0 AND id % :count BETWEEN :index AND :last
        ORDER BY priority, id LIMIT :most
    ) mine JOIN queue q ON q.id = mine.id ORDER BY q.priority, q.id
    """
)

# Flat, for it filters by nothing but the index: a join with the ids costs 0.15 ms more (measured).
OF_ALL = Statement(
    f"""
    SELECT {_COLUMNS}, q.priority FROM queue q WHERE q.queue = :queue AND q.status = 0
    ORDER BY q.priority, q.id LIMIT :most
    """
)

_FREE_HEAD = Statement(f"{OF_ALL.text} {{skip_locked}}")

# `claims` grows with every claim and every move: a row that was taken and given back, or moved to
# another time or param, since the look is not the row that was looked at.
_CLAIM = Statement(
    """
    UPDATE queue SET status = 2, worker = :worker, claims = claims + 1, attempt = attempt + 1,
        solo = :solo, started_at = {now}, mtime = {now}
    WHERE id IN {ids} AND {status} = 0 AND {run_at} <= {now} AND claims BETWEEN :fewest AND :most
    """
)

_MINE = Statement(
    f"""
    SELECT {_COLUMNS} FROM queue q
    WHERE q.id IN {{ids}} AND {{status}} = 2 AND worker = :worker ORDER BY q.priority, q.id
    """
)

_WAITED = Statement(
    "SELECT {unix:started_at} - {unix:run_at} FROM queue WHERE id = :id AND max_age IS NULL"
)

HELP_MOST = 64
"""Rows of other slices that a claim takes where few are left: their own workers are about to take
them."""
_SOLO_AGAIN = 2
"""`solo` of a row whose batch died unseen: claimed alone next time, to tell who is guilty."""
_BESIDE = 16
"""Rows that a strict claimer locks for each it wants, when somebody holds some at the head."""


@dataclass(slots=True)
class Claim:
    """What a claim brought."""

    jobs: list[Job] = field(default_factory=list)
    conflicts: int = 0
    """Rows that somebody else took between the look and the claim."""
    helped: bool = False
    """The rows are of other slices."""
    locked: bool = False
    """Somebody's transaction holds rows at the head: each claim there waits for them."""


def claim(
    connection: Connection,
    *,
    queue: str,
    worker: str,
    mine: Slice = WHOLE,
    most: int = 1,
    helps: bool = True,
    everyone: bool = False,
    far: bool = False,
    woken: bool = False,
) -> Claim:
    """Take up to `most` jobs for `worker`, in the order in which they are to run.

    Own slice first; when the window holds none of it, `helps` with others' rows. `everyone`
    ignores the slice: the head of the whole queue, so that no row waits for a busy worker. `far`
    sees past the window, at the price of every row that lies before the first of the slice.
    `woken` out of a rest: the row that is meant is of any slice, and the first ones of the queue
    are looked at once, for those of the slice and for others.
    Raises `OutcomeUnknown` when the connection died: then `release_strays` on a new one decides.
    """
    look = _look(connection, queue, mine, most, helps, everyone, far, woken)
    if misfits := [(row[8] & _MISFITS, row[0], row[6]) for row in look.rows if _is_misfit(row)]:
        if put_right(connection, queue, misfits):
            look = _look(connection, queue, mine, most, helps, everyone, far, woken)
        look.rows = [row for row in look.rows if not _is_misfit(row)]
    if not look.rows:
        return Claim()
    chosen = _alone_or_together(look.rows)
    failpoint("candidates-read")
    locked = False
    try:
        jobs = _take(connection, worker, chosen)
        conflicts = len(chosen) - len(jobs)
    except StoreBusy:
        if connection.backend.name == "sqlite":
            raise
        jobs = _take_free(connection, queue, worker, mine if not helps else None, most)
        # What somebody's transaction holds was taken by nobody.
        conflicts, locked = 0, True
    failpoint("claimed")
    return Claim(jobs, conflicts, look.helped, locked)


def _take(connection: Connection, worker: str, rows: list[Any]) -> list[Job]:
    """One guarded UPDATE; where it may not have taken just what was seen, the rows are read."""
    ids = [row[0] for row in rows]
    claims = {row[6] for row in rows}
    fewest, most = min(claims), max(claims)
    solo = 1 if len(ids) == 1 else 0
    taken = connection.run(_CLAIM, worker=worker, solo=solo, ids=ids, fewest=fewest, most=most)
    failpoint("claim-sent")
    if taken == len(ids) and fewest == most:
        return [_job(row, 1) for row in rows]
    return [_job(row, 0) for row in connection.rows(_MINE, ids=ids, worker=worker)]


def _take_free(
    connection: Connection, queue: str, worker: str, only: Slice | None, most: int
) -> list[Job]:
    """Somebody's open transaction holds rows at the head: take what is free behind them.

    Locks just the rows it returns, for it filters by nothing that the index does not; `only` a
    slice, for whoever is strict, filters what it has locked.
    """
    wanted = most if only is None else _BESIDE * most
    with connection.transaction():
        rows = connection.rows(_FREE_HEAD, queue=queue, most=wanted)
        if only is not None:
            rows = [row for row in rows if only.has(row[0])]
        rows = [row for row in rows if not _is_misfit(row)][:most]
        return _take(connection, worker, _alone_or_together(rows)) if rows else []


def _job(row: Any, grown: int) -> Job:
    """`grown` is 1 for a row read before its claim, 0 for one read after it."""
    id, task, param, attempt, max_attempts, timeout, claims = row[:7]
    if param is not None and not isinstance(param, (str, bytes)):
        # SQLite keeps the number that a bare INSERT wrote without quotes.
        param = str(param)
    return Job(
        id,
        task,
        param,
        attempt + grown,
        max_attempts,
        timeout,
        claims + grown,
        bool(row[8] & _GROUPED),
        (row[8] >> _WAITED_AT) / 1e6,
    )


@dataclass(slots=True)
class _Look:
    rows: list[Any]
    helped: bool = False


def _look(
    connection: Connection,
    queue: str,
    mine: Slice,
    most: int,
    helps: bool,
    everyone: bool,
    far: bool,
    woken: bool,
) -> _Look:
    if everyone or mine.count == 1:
        return _Look(connection.rows(OF_ALL, queue=queue, most=most))
    of_slice = {"count": mine.count, "index": mine.index, "last": mine.last}
    if far:
        return _Look(connection.rows(_OF_FAR_SLICE, queue=queue, most=most, **of_slice))
    if not (woken and helps):
        rows = connection.rows(
            OF_SLICE,
            queue=queue,
            window=window_size(mine.count / mine.width, most),
            most=most,
            **of_slice,
        )
        if rows or not helps:
            return _Look(rows)
    head = connection.rows(OF_ALL, queue=queue, most=help_size(most))
    if own := [row for row in head if mine.has(row[0])]:
        return _Look(own[:most])
    urgent = [row for row in head if row[9] == head[0][9]]
    if len(head) < help_size(most):
        most = min(most, HELP_MOST)
    picked = random.sample(urgent, min(most, len(urgent)))
    return _Look(sorted(picked, key=lambda row: row[0]), helped=bool(picked))


def _alone_or_together(rows: list[Any]) -> list[Any]:
    if rows[0][7] == _SOLO_AGAIN:
        return rows[:1]
    return [row for row in rows if row[7] != _SOLO_AGAIN]


def _is_misfit(row: Any) -> bool:
    return bool(row[8] & _MISFITS)


def waited(connection: Connection, job_id: int) -> float:
    """Seconds from its time to its claim, of a running job that has no max_age of its own."""
    row = connection.row(_WAITED, id=job_id)
    return float(row[0] or 0.0) if row else 0.0
