"""Ready rows that are not to run: they lie ahead, have no date, or have waited too long."""

from contextlib import suppress
from typing import Any

from qsuper.states import State
from qsuper.store.acking import bury_unrun, discard_unrun
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection
from qsuper.store.locked import run_around_locks

MISFIT = """
    CASE WHEN q.run_at > {now} THEN 1 WHEN q.run_at < '1970-01-02' THEN 2
        WHEN q.max_age IS NOT NULL AND {unix_now} - {unix:q.run_at} > q.max_age THEN 3 ELSE 0 END
"""
"""What is wrong with a row; 0 for nothing."""
_AHEAD, _NO_DATE, _TOO_OLD = 1, 2, 3

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
    UPDATE queue SET status = 4, mtime = {now}
    WHERE id IN {ids} AND {status} = 0 AND {run_at} > {now}
    """
)


def put_right(connection: Connection, queue: str, found: list[tuple[int, Any, int]]) -> bool:
    """Park rows that lie ahead, bury those with a zero date, discard those that are too old; True
    when some were moved. `found`: what is wrong, and the id and the fence of each row."""
    moved = 0
    if zeros := [(row_id, claims) for wrong, row_id, claims in found if wrong == _NO_DATE]:
        with suppress(StoreBusy):
            moved += bury_unrun(connection, zeros, "run_at is no date: set one and retry it")
    if old := [(row_id, claims) for wrong, row_id, claims in found if wrong == _TOO_OLD]:
        with suppress(StoreBusy):
            moved += discard_unrun(connection, old, "it has waited longer than its max_age")
    if early := [row_id for wrong, row_id, _ in found if wrong == _AHEAD]:
        # The rows seen may lie behind the head that is looked at.
        moved += _park(connection, _early(connection, queue)) or _park(connection, early)
    return moved > 0


def _early(connection: Connection, queue: str) -> list[int]:
    return [row[0] for row in connection.rows(_EARLY, queue=queue)]


def _park(connection: Connection, ids: list[int]) -> int:
    """They become scheduled: they would clog the ready index."""
    return run_around_locks(connection, _PARK, ids, State.READY) if ids else 0
