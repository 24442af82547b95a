"""What is ready, what is due: the look that turns the passing of time into wake-ups."""

from dataclasses import dataclass

from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection

LOOK_MOST = 64
"""Ready rows counted per queue: more than that wakes no more workers."""
PROMOTE_MOST = 1000
AROUND = 5.0
"""Seconds for which held rows are passed over, counted from when the last one was met."""

_LOOK_AT = """
    SELECT {place}, (SELECT COUNT(*) FROM (
            SELECT 1 FROM queue WHERE queue = :q{place} AND status = 0 LIMIT {most}) r{place}),
        (SELECT {{unix:MIN(run_at)}} - {{unix_now}} FROM queue
            WHERE queue = :q{place} AND {{scheduled}})
"""

DUE = Statement(
    """
    SELECT id FROM queue WHERE queue = :queue AND {scheduled} AND run_at <= {now}
    ORDER BY run_at LIMIT :most
    """
)
_FREE_DUE = Statement(f"{DUE.text} {{skip_locked}}")
_PROMOTE = Statement(
    "UPDATE queue SET status = 0 WHERE id IN {ids} AND {status} = 4 AND {run_at} <= {now}"
)
_CHANGES = Statement("PRAGMA data_version")


@dataclass(frozen=True, slots=True)
class Sight:
    """One queue, seen now."""

    ready: int
    """Ready rows, counted up to `LOOK_MOST`."""
    due_in: float | None
    """Seconds until the next scheduled row is due; negative when overdue, None when none waits."""

    @property
    def overdue(self) -> bool:
        return self.due_in is not None and self.due_in <= 0


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


class Promoter:
    """Makes due rows ready, and remembers for a while that somebody holds one of them.

    A held row is waited for once, as long as the session waits for locks; from then on, while it
    stays held, the others are taken around it. Not always: SKIP LOCKED makes Galera's nodes abort
    each other's transactions.
    """

    def __init__(self) -> None:
        self._around_until = 0.0

    def promote(self, connection: Connection, queue: str, now: float) -> int:
        """Up to `PROMOTE_MOST` rows, the most overdue first; returns how many.

        `now` is of any clock that only goes forward. Raises `StoreBusy` on SQLite, where a lock is
        always on the whole file.
        """
        expected = 1
        if now >= self._around_until:
            ids = [row[0] for row in connection.rows(DUE, queue=queue, most=PROMOTE_MOST)]
            try:
                return connection.run(_PROMOTE, ids=ids) if ids else 0
            except StoreBusy:
                if connection.backend.name == "sqlite":
                    raise
            expected = len(ids)
        moved = _promote_free(connection, queue)
        if moved < expected:
            self._around_until = now + AROUND
        return moved


def promote(connection: Connection, queue: str) -> int:
    """The same once, for whoever has no memory of held rows."""
    return Promoter().promote(connection, queue, 0.0)


def _promote_free(connection: Connection, queue: str) -> int:
    with connection.transaction():
        free = [row[0] for row in connection.rows(_FREE_DUE, queue=queue, most=PROMOTE_MOST)]
        return connection.run(_PROMOTE, ids=free) if free else 0
