"""One node at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from qsuper.picture.totals import Decision, Due, Minute, Totals


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker runs."""

    id: int
    task: str
    attempt: int
    seconds: float
    """For how long it has run."""
    progress: float | None = None
    """From 0 to 1; None when it has said nothing."""
    progress_text: str = ""
    time_left: float | None = None
    """Seconds until its time-out is over; None when it has none."""
    ending: bool = False
    """Its time-out is over, or somebody has cancelled it."""


@dataclass(frozen=True, slots=True)
class Child:
    """One place of the master's, with the process that fills it."""

    name: str
    role: str
    queue: str | None
    slice: str | None
    """`3/10`; None before the scheduler has dealt the slices."""
    state: str
    """One of `ChildState`."""
    since: float
    """Unix time from which it is in that state."""
    phase: str | None
    """What its process does: one of `scoreboard.PHASES`."""
    pid: int | None
    job: Job | None
    done: int
    """Jobs that succeeded since this process was forked."""
    failed: int
    memory: int | None
    """Bytes, its share of what it shares."""
    restarts: int
    last_exit: str
    retry_in: float | None
    trouble: str
    """What is wrong, in its own words; empty when nothing is."""
    trouble_since: float
    away: str
    """What its trouble is the absence of: `database`, `redis` or nothing."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue as this node sees it."""

    name: str
    wanted: int
    """Workers the node is to have."""
    running: int
    """Workers it has."""
    total: int
    """Workers of this queue over all live nodes."""
    paused: bool
    """On every node."""
    states: dict[str, int]
    """Jobs by state, counted up to `CAP`; empty until they were counted."""
    oldest_ready: float | None
    """Seconds for which the oldest ready job could have run."""


CAP = 10_000
"""Jobs of one state are counted up to here; more reads `CAP + 1`."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong."""

    kind: str
    """One word for all of its kind, such as `lease` or `FATAL`: for those who tell about it."""
    about: str
    """The child or the queue that it is wrong with; empty for the node itself."""
    text: str
    """The sentence; its numbers change while it lasts."""
    since: float | None = None
    """Unix time; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All that `status`, dashboard, metrics and alerts show of a node."""

    degraded: tuple[str, ...]
    """What is wrong, a sentence each, the worst first; empty when all is well."""
    pid: int
    version: str
    node: str
    started: float
    up: float
    """Seconds since the master has started."""
    paused: bool
    """This node begins nothing."""
    stopping: bool
    lease_left: float | None
    """Seconds; None before the first lease."""
    alone: bool
    """No other node was alive at the last renewal."""
    posted_ago: float | None
    """Seconds since the master has said how its children are."""
    counted_ago: float | None
    """Seconds since the queues were counted."""
    children: tuple[Child, ...]
    queues: tuple[Queue, ...]
    troubles: tuple[Trouble, ...] = ()
    """The same as `degraded`, in the same order, for machines."""
    totals: Totals = field(default_factory=Totals)
    minute: Minute = field(default_factory=Minute)
    due: tuple[Due, ...] = ()
    """What falls due next, the soonest first; a few of each queue."""
    decisions: tuple[Decision, ...] = ()
    """The autoscale's last ones, the newest last."""
    scaled: Mapping[str, int] = field(default_factory=dict)
    """Queues whose number of workers somebody asked for, with that number."""
