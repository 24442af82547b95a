"""What a node has counted since its master started, and in the last minute."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from qsuper.scoreboard import (
    COUNTERS,
    OUTCOMES,
    RUN_BOUNDS,
    WAIT_BOUNDS,
    Spread,
    no_runs,
    no_waits,
)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How lengths of time are spread."""

    bounds: tuple[float, ...]
    """Upper bounds in seconds, one less than `counts`: the last bucket has none."""
    counts: tuple[int, ...]
    seconds: float
    """All of them together."""

    @property
    def count(self) -> int:
        return sum(self.counts)

    def percentile(self, part: float) -> float | None:
        """Seconds that a `part` (0 to 1) of all did not exceed, spread evenly within a bucket; of
        the last bucket its lower bound. None of nothing."""
        if not self.count:
            return None
        rank, before, lower = part * self.count, 0, 0.0
        for upper, count in zip(self.bounds, self.counts, strict=False):
            if count and before + count >= rank:
                return lower + (upper - lower) * max(0.0, rank - before) / count
            before, lower = before + count, upper
        return lower


def waits(spread: Spread) -> Histogram:
    return Histogram(WAIT_BOUNDS, tuple(spread.counts), spread.microseconds / 1e6)


def runs(spread: Spread) -> Histogram:
    return Histogram(RUN_BOUNDS, tuple(spread.counts), spread.microseconds / 1e6)


_NO_WAITS = waits(no_waits())
_NO_RUNS = runs(no_runs())


@dataclass(frozen=True, slots=True)
class TaskTotals:
    """One task."""

    outcomes: Mapping[str, int]
    """Attempts by how they ended: one of `OUTCOMES`."""
    ran: Histogram


@dataclass(frozen=True, slots=True)
class Totals:
    """Since the master has started, the processes that have ended included. Numbers only grow."""

    outcomes: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    """Attempts of all tasks."""
    tasks: Mapping[str, TaskTotals] = field(default_factory=dict)
    waits: Mapping[str, Histogram] = field(default_factory=dict)
    """By queue: how long jobs had waited beyond their time when they began."""
    lateness: Mapping[str, Histogram] = field(default_factory=dict)
    """Of `timers` and of `watched keys`: how long after their time they fired."""
    counters: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    """As `scoreboard.COUNTERS` has them."""
    exits: Mapping[str, int] = field(default_factory=dict)
    """Ends of children by cause."""


@dataclass(frozen=True, slots=True)
class Minute:
    """The last minute, or as much of it as there was."""

    seconds: float = 0.0
    """How long it was; 0 before the first count."""
    outcomes: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    ran: Histogram = _NO_RUNS
    waited: Histogram = _NO_WAITS
    waits: Mapping[str, Histogram] = field(default_factory=dict)
    """By queue; the count of each is that of the attempts that began."""

    def rate(self, outcome: str) -> float:
        """Attempts a second that ended so."""
        return self.outcomes.get(outcome, 0) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Due:
    """Something that waits for its time."""

    at: float
    """Unix time; past where it is late."""
    what: str
    """`job`, or `key` for a watched Redis key."""
    name: str
    """The job's name, or the key; empty where it has none."""
    task: str
    queue: str
    id: int | None
    """Of the job."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One of the autoscale's: to have other workers, or not to."""

    at: float
    """Unix time."""
    queue: str
    before: int
    after: int
    why: str
