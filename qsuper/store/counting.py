"""How deep the queues are, counted up to a cap so that ten million rows cost what ten do."""

from dataclasses import dataclass

from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

CAP = 10_000
"""Rows of one state are counted up to here; a count of `CAP + 1` means more."""
QUEUES_MOST = 1000
HEAD = 100
"""Ready rows of one priority that are asked for how long they wait: those with the lowest ids."""
PRIORITIES_MOST = 16
"""Priorities whose rows are asked, half of them the most urgent ones, half the least urgent."""

_NEXT_QUEUE = Statement("SELECT MIN(queue) FROM queue WHERE queue > :after")
_DEPTH = Statement(
    f"""
    SELECT COUNT(*) FROM (
        SELECT 1 FROM queue WHERE queue = :queue AND status = :status LIMIT {CAP + 1}
    ) counted
    """
)
# By the claim index: MariaDB would rather walk the table by id, past all that is done (measured).
_EDGE = """
    SELECT MIN(priority), {{unix_now}} - {{unix:MIN(run_at)}} FROM (
        SELECT priority, run_at FROM queue {{by_claim}}
        WHERE queue = :queue AND status = 0 AND priority = (
            SELECT {which}(priority) FROM queue
            WHERE queue = :queue AND status = 0 AND priority BETWEEN :first AND :last
        ) ORDER BY id LIMIT {most}
    ) head
"""
_MOST_URGENT = Statement(_EDGE.format(which="MIN", most=HEAD))
_LEAST_URGENT = Statement(_EDGE.format(which="MAX", most=HEAD))


@dataclass(frozen=True, slots=True)
class Depth:
    """One queue, counted."""

    queue: str
    states: dict[str, int]
    oldest_ready: float | None
    """Seconds for which the oldest ready row could have run: see `oldest_ready`."""


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
    return Depth(queue, counted, oldest_ready(connection, queue))


def oldest_ready(connection: Connection, queue: str) -> float | None:
    """Seconds for which the oldest ready row could have run; None where none is ready.

    Of each priority that has ready rows, the `HEAD` rows that are claimed first are looked at, and
    of more than `PRIORITIES_MOST` priorities those in the middle are left out. Within a priority
    ids grow with time: a row behind that head has waited longer only where those in it came to
    their place late, by a retry or as timers. An index by age would tell exactly, and every job
    would pay for it.
    """
    first, last = -(2**15), 2**15 - 1
    ages: list[float] = []
    for turn in range(PRIORITIES_MOST):
        edge = _LEAST_URGENT if turn % 2 else _MOST_URGENT
        priority, age = connection.row(edge, queue=queue, first=first, last=last)
        if priority is None:
            break
        if age is not None:
            ages.append(float(age))
        first, last = (first, priority - 1) if turn % 2 else (priority + 1, last)
    return max(0.0, *ages) if ages else None
