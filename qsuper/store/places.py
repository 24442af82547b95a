"""Places: stretches of the claim index (a queue, a state, a priority), each in the order of ids."""

from collections.abc import Iterable
from itertools import product
from typing import Any

from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.counting import queue_names
from qsuper.store.database import Connection

_FIRST_PRIORITY = Statement(
    "SELECT MIN(priority) FROM queue WHERE queue = :queue AND status = :status"
)
_NEXT_PRIORITY = Statement(f"{_FIRST_PRIORITY.text} AND priority > :priority")
_NEWEST = Statement(
    """
    SELECT id FROM queue {by_claim}
    WHERE queue = :queue AND status = :status AND priority = :priority AND id < :before
    ORDER BY priority DESC, id DESC LIMIT :most
    """
)


def places(
    connection: Connection, queue: str | None, states: Iterable[State], most: int
) -> list[dict[str, Any]] | None:
    """Those that hold all jobs of these states, of one queue or of any; None if there are more."""
    queues = queue_names(connection) if queue is None else [queue]
    found: list[dict[str, Any]] = []
    for name, state in product(queues, states):
        of = {"queue": name, "status": int(state)}
        priority = connection.row(_FIRST_PRIORITY, **of)[0]
        while priority is not None:
            found.append(of | {"priority": priority})
            if len(found) > most:
                return None
            priority = connection.row(_NEXT_PRIORITY, **found[-1])[0]
    return found


def newest(connection: Connection, place: dict[str, Any], before: int, most: int) -> list[int]:
    """The newest ids of one place below `before`."""
    return [int(row[0]) for row in connection.rows(_NEWEST, before=before, most=most, **place)]
