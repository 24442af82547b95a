"""A walk over the jobs of one state, page by page along the claim index: ten million finished rows
beside them cost nothing, and no page holds anybody up."""

from dataclasses import dataclass, field
from typing import Any

from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.counting import queue_names
from qsuper.store.database import Connection
from qsuper.store.position import LAST_ID, Spot
from qsuper.store.selection import Selection

PAGE = 1000
STRETCH = 10_000
"""Ids that a page stretches over at most."""

_PLACE = "queue = :queue AND status = :status"
_NEXT_ID = Statement(
    f"SELECT MIN(id) FROM queue WHERE {_PLACE} AND priority = :priority AND id > :after"
)
# By its id, over a stretch that has an end: by the claim index MariaDB likes to read, for every
# page, all that lies behind (20 ms and more in the middle of 100,000 rows; measured).
_PAGE = Statement(
    f"""
    SELECT id FROM queue {{by_id}}
    WHERE {_PLACE} AND priority = :priority AND id BETWEEN :first AND :last ORDER BY id LIMIT :most
    """
)
# Not `> -32769` for the first one: MariaDB takes that for `> -32768` (measured).
_FIRST_PRIORITY = Statement(f"SELECT MIN(priority) FROM queue WHERE {_PLACE}")
_NEXT_PRIORITY = Statement(f"{_FIRST_PRIORITY.text} AND priority > :priority")


@dataclass(slots=True)
class Walk:
    """How far it has come. What moves to where it has been is not met again."""

    selection: Selection
    """Names a state."""
    first: int = 0
    last: int = LAST_ID
    """Ids between which it goes, both among them."""
    begin: Spot | None = None
    """What lies before it, and itself, is taken as dealt with."""
    _queues: list[str] | None = None
    """Those before it, the one it is in at the end; None before the first page."""
    _priority: int | None = None
    """None before the first one of the queue."""
    _after: int | None = None
    """None before the first page of the priority."""
    _page: list[int] = field(default_factory=list)

    @property
    def spot(self) -> Spot | None:
        """The last job that was dealt with; None before the first page."""
        if not self._queues or self._priority is None or self._after is None:
            return None
        return Spot(self._queues[-1], self._priority, self._after)

    @property
    def state(self) -> State:
        assert self.selection.state is not None
        return self.selection.state

    def page(self, connection: Connection) -> list[int]:
        """Up to `PAGE` ids that lie ahead, fitting or not: see `fitting`. The same until
        `go_on`; none when nothing lies ahead."""
        if self._queues is None:
            self._queues = self._begin(connection)
        while self._queues and not self._page:
            place: dict[str, Any] = {"queue": self._queues[-1], "status": int(self.state)}
            if self._priority is None:
                self._turn(connection.row(_FIRST_PRIORITY, **place)[0])
                continue
            place["priority"] = self._priority
            after = self.first - 1 if self._after is None else self._after
            first = connection.row(_NEXT_ID, after=after, **place)[0]
            if first is None or first > self.last:
                self._turn(connection.row(_NEXT_PRIORITY, **place)[0])
                continue
            stretch = {"first": first, "last": min(first + STRETCH, self.last), "most": PAGE}
            self._page = [row[0] for row in connection.rows(_PAGE, **stretch, **place)]
            # Should that one have moved on meanwhile, the next look begins behind it.
            self._after = first
        return self._page

    def fitting(
        self, connection: Connection, columns: str, tables: str = "queue"
    ) -> list[tuple[Any, ...]]:
        """Those of the page that fit the selection, as they are now."""
        conditions, values = self.selection.conditions(connection.backend)
        wanted = " AND ".join(("queue.id IN {ids}", "{status} = :state", *conditions))
        statement = Statement(f"SELECT {columns} FROM {tables} WHERE {wanted} ORDER BY queue.id")
        return connection.rows(statement, ids=self._page, state=int(self.state), **values)

    def go_on(self) -> None:
        """The page has been dealt with."""
        self._after = self._page[-1]
        self._page = []

    def _begin(self, connection: Connection) -> list[str]:
        only, begin = self.selection.queue, self.begin
        names = [only] if only is not None else queue_names(connection)
        if begin is not None:
            # By their bytes, as the databases order them.
            names = [name for name in names if name.encode() >= begin.queue.encode()]
            if begin.queue in names:
                self._priority, self._after = begin.priority, begin.id
        return names[::-1]

    def _turn(self, priority: int | None) -> None:
        """To the next priority, or to the next queue when there is none."""
        self._after, self._priority = None, priority
        if priority is None and self._queues:
            self._queues.pop()
