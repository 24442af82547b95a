"""What is ready, what is due: the look that turns the passing of time into wake-ups."""

from dataclasses import dataclass

from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection

LOOK_MOST = 64
"""Ready rows counted per queue: more than that wakes no more workers."""
PROMOTE_MOST = 1000

_LOOK_AT = """
    SELECT {place}, (SELECT COUNT(*) FROM (
            SELECT 1 FROM queue WHERE queue = :q{place} AND status = 0 LIMIT {most}) r{place}),
        (SELECT {{unix:MIN(run_at)}} - {{unix_now}} FROM queue
            WHERE queue = :q{place} AND status = 4)
"""

_DUE = Statement(
    """
    SELECT id FROM queue WHERE queue = :queue AND status = 4 AND run_at <= {now}
    ORDER BY run_at LIMIT :most
    """
)
_FREE_DUE = Statement(f"{_DUE.text} {{skip_locked}}")
_PROMOTE = Statement(
    "UPDATE queue SET status = 0 WHERE id IN {ids} AND {status} = 4 AND run_at <= {now}"
)
_CHANGES = Statement("PRAGMA data_version")


@dataclass(frozen=True, slots=True)
class Sight:
    """One queue, seen now."""

    ready: int
    """Ready rows, counted up to `LOOK_MOST`."""
    due_in: float | None
    """Seconds until the next scheduled row is due; negative when overdue, None when none waits."""


class Watcher:
    """Looks at several queues with one statement."""

    def __init__(self, queues: list[str]) -> None:
        self._queues = queues
        parts = [_LOOK_AT.format(place=place, most=LOOK_MOST) for place in range(len(queues))]
        self._statement = Statement(" UNION ALL ".join(parts))
        self._bound = {f"q{place}": queue for place, queue in enumerate(queues)}

    def look(self, connection: Connection) -> dict[str, Sight]:
        rows = connection.rows(self._statement, **self._bound)
        return {
            self._queues[place]: Sight(ready, None if due is None else float(due))
            for place, ready, due in rows
        }


def changes(connection: Connection) -> int | None:
    """A number that moves when another connection has written; None where there is none."""
    if connection.backend.name != "sqlite":
        return None
    return int(connection.row(_CHANGES)[0])


def promote(connection: Connection, queue: str) -> int:
    """Due rows become ready, `PROMOTE_MOST` at most; returns how many.

    Rows that somebody's open transaction holds stay for the next time, and delay no others.
    """
    ids = [row[0] for row in connection.rows(_DUE, queue=queue, most=PROMOTE_MOST)]
    try:
        return connection.run(_PROMOTE, ids=ids) if ids else 0
    except StoreBusy:
        if connection.backend.name == "sqlite":
            raise
    with connection.transaction():
        free = [row[0] for row in connection.rows(_FREE_DUE, queue=queue, most=PROMOTE_MOST)]
        return connection.run(_PROMOTE, ids=free) if free else 0
