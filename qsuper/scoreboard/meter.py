"""What a child has counted since it was forked: how jobs ended, how long they waited and ran."""

from bisect import bisect_left
from dataclasses import dataclass, field

from qsuper.scoreboard.fields import Int, Memory, Part

WAIT_BOUNDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
    *(2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
)
"""Upper bounds in seconds of the buckets of waits; the last bucket has none."""
RUN_BOUNDS = (
    *(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
"""The same of how long jobs ran."""
OUTCOMES = ("done", "failed", "dead", "cancelled", "snoozed", "discarded", "put off")
"""How an attempt may end; `failed` is tried again, `dead` is not. The first five have run."""
RAN = 5
COUNTERS = (
    "conflicts",
    "helps",
    "fenced",
    "database_reconnects",
    "redis_reconnects",
    "fired",
    "presumed",
    "missed",
)
"""`conflicts`: rows another worker took between look and claim; `helps`: jobs taken from other
slices; `fenced`: acks refused because the claim was no longer the worker's; `fired`: watched keys
whose expiry became jobs, of which `presumed` without an event that told why they went; `missed`:
due times of schedules that made no job because nobody was there."""

TASKS_MOST = 32
"""Tasks a process counts apart; what comes after them is counted together under `OTHERS`."""
ENDED_TASKS_MOST = 256
"""The same of all processes of a queue that have ended: those of one may be others than those of
the next, and a task that had a name shall keep it."""
OTHERS = "(others)"
NAME_BYTES = 128

_COUNTERS_AT = 1
_WAITS_AT = 16
_WAIT_BUCKETS = len(WAIT_BOUNDS) + 1
_TASKS_AT = 40
_NAME_WORDS = NAME_BYTES // 8
_SUM_AT = _NAME_WORDS + len(OUTCOMES)
_RUNS_AT = _SUM_AT + 1
_RUN_BUCKETS = len(RUN_BOUNDS) + 1
_TASK_WORDS = _RUNS_AT + _RUN_BUCKETS
METER_SIZE = 12_288
ENDED_METER_SIZE = 86_016
assert (_TASKS_AT + TASKS_MOST * _TASK_WORDS) * 8 <= METER_SIZE
assert (_TASKS_AT + ENDED_TASKS_MOST * _TASK_WORDS) * 8 <= ENDED_METER_SIZE


@dataclass(slots=True)
class Spread:
    """How lengths of time are spread over buckets."""

    counts: list[int]
    microseconds: int = 0

    def add(self, other: "Spread") -> None:
        self.counts = [mine + more for mine, more in zip(self.counts, other.counts, strict=True)]
        self.microseconds += other.microseconds

    def __sub__(self, before: "Spread") -> "Spread":
        counts = [now - then for now, then in zip(self.counts, before.counts, strict=True)]
        return Spread(counts, self.microseconds - before.microseconds)


def no_waits() -> Spread:
    return Spread([0] * _WAIT_BUCKETS)


def no_runs() -> Spread:
    return Spread([0] * _RUN_BUCKETS)


@dataclass(slots=True)
class TaskReading:
    """One task."""

    outcomes: list[int] = field(default_factory=lambda: [0] * len(OUTCOMES))
    runs: Spread = field(default_factory=no_runs)

    def add(self, other: "TaskReading") -> None:
        self.outcomes = [a + b for a, b in zip(self.outcomes, other.outcomes, strict=True)]
        self.runs.add(other.runs)


@dataclass(slots=True)
class Reading:
    """What a meter shows."""

    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    waits: Spread = field(default_factory=no_waits)
    tasks: dict[str, TaskReading] = field(default_factory=dict)

    def add(self, other: "Reading") -> None:
        for name, count in other.counters.items():
            self.counters[name] += count
        self.waits.add(other.waits)
        for name, task in other.tasks.items():
            self.tasks.setdefault(name, TaskReading()).add(task)


class Meter(Part):
    """A part of the scoreboard with one writer. Numbers only grow."""

    __slots__ = ("_most", "_places", "_size", "_waits")

    tasks = Int(0)
    """How many tasks have a place."""

    def __init__(
        self, memory: Memory, start: int, size: int = METER_SIZE, most: int = TASKS_MOST
    ) -> None:
        """`most` tasks fit into `size` bytes."""
        super().__init__(memory, start)
        self._size, self._most = size, most
        self._places: dict[str, int] = {}
        self._waits = self.word + _WAITS_AT

    def ended(self, task: str, outcome: int, seconds: float, waited: float) -> None:
        """An attempt has ended: index into `OUTCOMES`, how long it ran, how long it had waited
        beyond its time."""
        place = self._places.get(task) or self._place(task)
        ints = self.ints
        ints[place + _NAME_WORDS + outcome] += 1
        if outcome < RAN:
            # Written out, for it is done for each job: a call of `late` would cost as much again.
            ints[place + _SUM_AT] += int(seconds * 1e6)
            ints[place + _RUNS_AT + bisect_left(RUN_BOUNDS, seconds)] += 1
            first = self._waits
            ints[first] += int(waited * 1e6)
            ints[first + 1 + bisect_left(WAIT_BOUNDS, waited)] += 1

    def settled(self, task: str, outcome: str, count: int = 1) -> None:
        """So many attempts ended so with their worker; nobody knows how long they took."""
        if count:
            place = self._places.get(task) or self._place(task)
            self.ints[place + _NAME_WORDS + OUTCOMES.index(outcome)] += count

    def late(self, seconds: float, count: int = 1) -> None:
        """So many things began, or fired, so long after their time."""
        first = self._waits
        seconds = max(seconds, 0.0)
        self.ints[first] += int(seconds * 1e6) * count
        self.ints[first + 1 + bisect_left(WAIT_BOUNDS, seconds)] += count

    def count(self, counter: str, more: int = 1) -> None:
        """Add to one of `COUNTERS`."""
        self.ints[self.word + _COUNTERS_AT + COUNTERS.index(counter)] += more

    def clear(self) -> None:
        self.bytes[self.start : self.start + self._size] = bytes(self._size)
        self._places.clear()

    def read(self) -> Reading:
        word = self.word
        reading = Reading()
        counters = self.ints[word + _COUNTERS_AT : word + _COUNTERS_AT + len(COUNTERS)].tolist()
        reading.counters = dict(zip(COUNTERS, counters, strict=True))
        reading.waits = self._spread(word + _WAITS_AT, _WAIT_BUCKETS)
        for number in range(min(self.tasks, self._most)):
            place = word + _TASKS_AT + number * _TASK_WORDS
            outcomes = self.ints[place + _NAME_WORDS : place + _SUM_AT].tolist()
            runs = self._spread(place + _SUM_AT, _RUN_BUCKETS)
            task = reading.tasks.setdefault(self._name(place), TaskReading())
            task.add(TaskReading(outcomes, runs))
        return reading

    def add(self, reading: Reading) -> None:
        """Take over what another meter showed."""
        for name, count in reading.counters.items():
            self.count(name, count)
        self._add(self.word + _WAITS_AT, reading.waits)
        for name, task in reading.tasks.items():
            place = self._places.get(name) or self._place(name)
            for number, count in enumerate(task.outcomes):
                self.ints[place + _NAME_WORDS + number] += count
            self._add(place + _SUM_AT, task.runs)

    def _spread(self, place: int, buckets: int) -> Spread:
        total, *counts = self.ints[place : place + 1 + buckets].tolist()
        return Spread(counts, total)

    def _add(self, place: int, spread: Spread) -> None:
        self.ints[place] += spread.microseconds
        for bucket, count in enumerate(spread.counts, place + 1):
            self.ints[bucket] += count

    def _place(self, task: str) -> int:
        """The words of a task; given to it when it is met first."""
        raw = task.encode("utf-8", "replace")[:NAME_BYTES].ljust(NAME_BYTES, b"\0")
        place = self.word + _TASKS_AT
        for _ in range(self.tasks):
            if self.bytes[place * 8 : place * 8 + NAME_BYTES] == raw:
                break
            place += _TASK_WORDS
        else:
            if self.tasks >= self._most - 1 and task != OTHERS:
                place = self._places.get(OTHERS) or self._place(OTHERS)
            else:
                self.bytes[place * 8 : place * 8 + NAME_BYTES] = raw
                # Only now: readers look no further.
                self.tasks += 1
        self._places[task] = place
        return place

    def _name(self, place: int) -> str:
        raw = bytes(self.bytes[place * 8 : place * 8 + NAME_BYTES])
        return raw.partition(b"\0")[0].decode("utf-8", "replace")
