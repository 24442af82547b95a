"""How deep the queues are, counted up to a cap so that ten million rows cost what ten do."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, is_utf8

CAP = 10_000
"""Rows of one state are counted up to here; a count of `CAP + 1` means more."""
QUEUES_MOST = 1000
HEAD = 100
"""Ready rows of one priority that are asked for how long they wait: those with the lowest ids."""
PRIORITIES_MOST = 16
"""Priorities whose rows are asked, half of them the most urgent ones, half the least urgent."""

_NEXT_QUEUE = Statement("SELECT MIN(queue) FROM queue WHERE queue > {as_text::after}")
_COUNT = """
    SELECT {place}, {status}, COUNT(*) FROM (
        SELECT 1 FROM queue WHERE queue = :q{place} AND status = {status} LIMIT {most}
    ) c{place}_{status}
"""
TOGETHER = 16
"""Queues that are counted by one statement."""
_NEXT_DUE = Statement(
    """
    SELECT id, name, task, {unix:run_at} FROM (
        SELECT id, name, task, run_at FROM queue WHERE queue = :queue AND {scheduled}
        ORDER BY run_at LIMIT 200
    ) soon ORDER BY CASE WHEN name IS NULL THEN 1 ELSE 0 END, run_at LIMIT :most
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


def queue_names(connection: Connection) -> list[str]:
    """Every queue that has rows, by hopping over the claim index; up to `QUEUES_MOST`.

    One whose name is no UTF-8 is left out: no worker has it, and no statement can name it.
    """
    names: list[str] = []
    after = ""
    for _ in range(QUEUES_MOST):
        row = connection.row(_NEXT_QUEUE, after=after)
        if row is None or row[0] is None:
            break
        after = str(row[0])
        if is_utf8(after):
            names.append(after)
    return names


@cache
def _counts(queues: int, states: tuple[State, ...]) -> Statement:
    """One statement for all: each one costs the server more than what it counts in most queues."""
    parts = [
        _COUNT.format(place=place, status=int(state), most=CAP + 1)
        for place in range(queues)
        for state in states
    ]
    return Statement(" UNION ALL ".join(parts))


def depths(
    connection: Connection, queues: Sequence[str], states: tuple[State, ...] = tuple(State)
) -> dict[str, dict[str, int]]:
    """Rows of each queue by the word of their state, up to `CAP` of each."""
    found: dict[str, dict[str, int]] = {}
    for start in range(0, len(queues), TOGETHER):
        some = queues[start : start + TOGETHER]
        bound = {f"q{place}": queue for place, queue in enumerate(some)}
        for place, status, count in connection.rows(_counts(len(some), states), **bound):
            found.setdefault(some[place], {})[State(status).word] = int(count)
    return found


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A row that waits for its time."""

    id: int
    name: str | None
    task: str
    at: float
    """Unix time."""


def next_due(connection: Connection, queue: str, most: int) -> list[Scheduled]:
    """What falls due next in a queue: of the soonest 200 rows those first that have a name, for
    others are failed attempts for the most part. Rows whose time cannot be read are left out."""
    return [
        Scheduled(
            id,
            name.decode("utf-8", "replace") if isinstance(name, bytes) else name,
            task,
            float(at),
        )
        for id, name, task, at in connection.rows(_NEXT_DUE, queue=queue, most=most)
        if at is not None
    ]


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
