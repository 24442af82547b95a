"""A queue and its workers in miniature: what a controller of workers sees, and what it causes.

Time goes in steps of `STEP` seconds of its own; nothing waits and nothing depends on the host.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from qsuper.master.autoscale.course import Seen
from qsuper.master.autoscale.pressure import Reading
from qsuper.master.autoscale.turnout import Turnout

STEP = 0.1
COUNTS_EVERY = 10
"""Steps between two counts of the keeper's."""
COUNTED_MOST = 10_001

Controller = Callable[[Seen], int]
"""How many workers from now on."""


@dataclass(frozen=True)
class Shape:
    """A load, and the world in which it is worked off."""

    jobs: Sequence[tuple[float, float]]
    """When each job may run, and the seconds of work it is."""
    seconds: float = 1800.0
    leaps: int | None = 1
    """How often the load leaps up; None where the wanted wait is out of reach of any controller."""
    steady: bool = False
    """Whether the load is the same throughout the last third."""
    boot: float = 0.6
    """Seconds a worker takes to start."""
    capacity: float = 1e9
    """Jobs that can be worked on at full speed at once, whatever the workers: what they share."""
    limit: int = 10**9
    """Jobs that may run at once; the others are held, not ready."""
    cannot_be_had: bool = False
    """No worker ever gets one of the jobs."""
    crashing: bool = False
    """All workers but the first one die in their start."""
    pressure: Callable[[float], float] = lambda now: 0.0
    """Percent."""
    blind: Callable[[float], bool] = lambda now: False
    """When the keeper does not count."""


@dataclass
class Worker:
    """One process."""

    boots_at: float
    left: float = 0.0
    """Seconds of work that are left of its job."""
    finished: int = 0
    leaving: bool = False
    broken: bool = False


@dataclass(frozen=True)
class Moment:
    """One look of the controller's."""

    now: float
    wait: float
    workers: int
    """What it wanted before it looked."""
    wanted: int


@dataclass
class Run:
    """The history of one simulation."""

    moments: list[Moment] = field(default_factory=list)
    finished: int = 0
    left: int = 0

    @property
    def steps(self) -> list[tuple[float, int]]:
        """When the number of workers was changed, and by how many."""
        return [
            (one.now, one.wanted - one.workers) for one in self.moments if one.wanted != one.workers
        ]

    def workers(self, after: float = 0.0) -> list[int]:
        return [one.wanted for one in self.moments if one.now >= after]

    def late(self, wanted: float) -> int:
        """Looks, a second apart, that found the oldest job waiting longer than wanted."""
        return sum(one.wait > wanted for one in self.moments)


class Simulation:
    """One shape under one controller."""

    def __init__(self, shape: Shape, controller: Controller, workers: int) -> None:
        self._shape = shape
        self._controller = controller
        self._coming = deque(sorted(shape.jobs))
        self._ready: deque[tuple[float, float]] = deque()
        self._workers = [Worker(0.0) for _ in range(workers)]
        self._wanted = workers
        self._finished = 0
        self._counted = (0.0, 0.0, 0)

    def run(self) -> Run:
        run = Run()
        for number in range(int(self._shape.seconds / STEP)):
            now = number * STEP
            while self._coming and self._coming[0][0] <= now:
                self._ready.append(self._coming.popleft())
            self._work(now)
            if number % COUNTS_EVERY == 0:
                self._look(now, run)
        run.finished, run.left = self._finished, len(self._ready)
        return run

    def _work(self, now: float) -> None:
        """One step of all workers."""
        up = [one for one in self._workers if one.boots_at <= now and not one.broken]
        speed = min(1.0, self._shape.capacity / max(1, sum(one.left > 0 for one in up)))
        for worker in up:
            time = STEP * speed
            while time > 0 and (worker.left > 0 or self._next(worker)):
                spent = min(time, worker.left)
                worker.left -= spent
                time -= spent
                if worker.left <= 1e-9:
                    worker.left = 0.0
                    worker.finished += 1
                    self._finished += 1
        self._workers = [one for one in self._workers if one.left > 0 or not one.leaving]

    def _next(self, worker: Worker) -> bool:
        if worker.leaving or not self._ready or self._shape.cannot_be_had or self._is_full():
            return False
        worker.left = self._ready.popleft()[1]
        return True

    def _is_full(self) -> bool:
        return sum(one.left > 0 for one in self._workers) >= self._shape.limit

    def _look(self, now: float, run: Run) -> None:
        if not self._shape.blind(now):
            wait = now - self._ready[0][0] if self._ready and not self._is_full() else 0.0
            ready = 0 if self._is_full() else min(COUNTED_MOST, len(self._ready))
            self._counted = now, wait, ready
        at, wait, ready = self._counted
        before = self._wanted
        self._wanted = self._controller(
            Seen(
                now=now,
                wait=wait,
                ready=ready,
                turnout=self._turnout(now),
                counted_ago=now - at,
                readings=(Reading("cpu pressure", self._shape.pressure(now)),),
            )
        )
        self._balance(now)
        run.moments.append(Moment(now, wait, before, self._wanted))

    def _turnout(self, now: float) -> Turnout:
        staying = [one for one in self._workers if not one.leaving]
        up = [one for one in staying if one.boots_at <= now and not one.broken]
        busy = sum(one.left > 0 for one in up)
        worked = sum(one.left > 0 or one.finished > 0 for one in up)
        for one in self._workers:
            one.finished = 0
        return Turnout(
            running=len(up),
            failing=sum(one.broken for one in staying),
            busy=busy,
            worked=worked,
            finished=self._finished,
        )

    def _balance(self, now: float) -> None:
        """Fork what is missing; of what is too much the idle leave first."""
        staying = [one for one in self._workers if not one.leaving]
        for worker in sorted(staying, key=lambda one: one.left > 0)[: -self._wanted or None]:
            worker.leaving = True
        broken = self._shape.crashing
        for _ in range(self._wanted - len(staying)):
            self._workers.append(Worker(now + self._shape.boot, broken=broken))
