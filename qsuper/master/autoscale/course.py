"""What the autoscale knows of a queue, and what it makes of that."""

import math
from dataclasses import dataclass

from qsuper.config.tables.queues import WORKERS_MOST
from qsuper.master.autoscale.pressure import Reading
from qsuper.master.autoscale.turnout import Turnout


@dataclass(frozen=True, slots=True)
class Seen:
    """One queue at one moment. Times are seconds of one clock."""

    now: float
    wait: float
    """Seconds for which the oldest ready job could have run; 0 when none is ready."""
    ready: int
    turnout: Turnout
    counted_ago: float = 0.0
    """Seconds since wait and ready were true."""
    room: int = WORKERS_MOST
    """Workers the node may have of this queue, for the sake of the others."""
    readings: tuple[Reading, ...] = ()
    asked: int | None = None
    """Workers somebody has asked for by hand."""
    barred: str = ""
    """Why nothing may be changed now; empty when something may."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast so many workers were."""

    workers: int
    jobs: int
    seconds: float

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return self.jobs / self.seconds


@dataclass(frozen=True, slots=True)
class Course:
    """What of a queue's past matters for the next decision."""

    workers: int
    stepped_at: float = -math.inf
    raised_at: float = -math.inf
    slack_since: float | None = None
    """Since when it has been calm with some worker to spare, and `peak` the most that were busy."""
    peak: int = 0
    idle_since: float | None = None
    """Since when nothing has been ready or running."""
    measured: tuple[float, int] | None = None
    """When these workers began to be measured under too much load, and jobs finished by then."""
    paces: tuple[Pace, ...] = ()
    """Those before each step up since there has been too much load."""
    futile_until: float = -math.inf
    """Until when more workers are known not to help."""
    lowered_at: float = -math.inf
    """When it had fewer for the last time though it was not idle."""
    floor: int = 0
    floor_until: float = -math.inf
    """Until when fewer workers than `floor` are known to be too few."""
    lessons: int = 0
    """How many steps down in a row have turned out to be wrong."""
    cause: str = ""
    caused_at: float = -math.inf
    """Why it was last held back, and when that was last true."""


@dataclass(frozen=True, slots=True)
class Decision:
    """So many workers from now on."""

    course: Course
    why: str = ""
    worth_telling: bool = False
    """A change, or the first time that one is held back for this cause."""

    @property
    def workers(self) -> int:
        return self.course.workers
