"""How deep the queues are, counted up to a cap so that ten million rows cost what ten do."""

from dataclasses import dataclass

from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

CAP = 10_000
"""Rows of one state are counted up to here; a count of `CAP + 1` means more."""
QUEUES_MOST = 1000

_NEXT_QUEUE = Statement("SELECT MIN(queue) FROM queue WHERE queue > :after")
_DEPTH = Statement(
    f"""
    SELECT COUNT(*) FROM (
        SELECT 1 FROM queue WHERE queue = :queue AND status = :status LIMIT {CAP + 1}
    ) counted
    """
)
_OLDEST = Statement(
    """
    SELECT {unix_now} - {unix:MIN(run_at)} FROM queue WHERE queue = :queue AND status = 0
    """
)


@dataclass(frozen=True, slots=True)
class Depth:
    """One queue, counted."""

    queue: str
    states: dict[str, int]
    oldest_ready: float | None
    """Seconds for which the oldest ready row could have run."""


def queue_names(connection: Connection) -> list[str]:
    """Every queue that has rows, by hopping over the claim index; up to `QUEUES_MOST`."""
    names: list[str] = []
    after = ""
    while len(names) < QUEUES_MOST:
        row = connection.row(_NEXT_QUEUE, after=after)
        if row is None or row[0] is None:
            break
        after = str(row[0])
        names.append(after)
    return names


def depth(connection: Connection, queue: str, states: tuple[State, ...] = tuple(State)) -> Depth:
    """Rows of each state, up to `CAP`."""
    counted = {
        state.word: int(connection.row(_DEPTH, queue=queue, status=int(state))[0])
        for state in states
    }
    oldest = connection.row(_OLDEST, queue=queue)[0]
    return Depth(queue, counted, None if oldest is None else max(0.0, float(oldest)))
