"""Finished rows go when they are old enough, in small steps along the primary key."""

from dataclasses import dataclass

from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

STEP = 1000
"""Rows looked at in one step: a few milliseconds, so that claims never wait for it."""

_STEP = Statement(
    """
    SELECT id, status, {unix_now} - {unix:mtime} FROM queue
    WHERE id > :after ORDER BY id LIMIT :step
    """
)
_DELETE = Statement("DELETE FROM queue WHERE id IN {ids} AND {status} = :status")
_DELETE_ATTEMPTS = Statement(
    """
    DELETE FROM attempts WHERE job_id IN {ids}
        AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.id = attempts.job_id)
    """
)


_IDS = Statement("SELECT MIN(id), MAX(id) FROM queue")


@dataclass(slots=True)
class Pruning:
    """How far one walk over the table has come."""

    after: int = 0
    deleted: int = 0
    ended: bool = False


def ids(connection: Connection) -> tuple[int, int]:
    """The first and the last id there is: what a walk has before it. (1, 0) of an empty table."""
    first, last = connection.row(_IDS)
    return (1, 0) if first is None else (int(first), int(last))


def step(connection: Connection, walk: Pruning, keep: dict[State, float]) -> int:
    """One step of the walk: delete what is finished and older than `keep` seconds; returns how
    many. At the end of the table `walk.ended` is set."""
    rows = connection.rows(_STEP, after=walk.after, step=STEP)
    walk.ended = len(rows) < STEP
    if rows:
        walk.after = rows[-1][0]
    deleted = 0
    for state, seconds in keep.items():
        old = [
            row[0]
            for row in rows
            if row[1] == state and row[2] is not None and float(row[2]) > seconds
        ]
        if old:
            deleted += connection.run(_DELETE, ids=old, status=int(state))
            connection.run(_DELETE_ATTEMPTS, ids=old)
    walk.deleted += deleted
    return deleted
