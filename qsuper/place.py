"""What the command line hands to the master, and the master to each child it forks."""

from collections.abc import Callable
from dataclasses import dataclass

from qsuper.config import Config
from qsuper.scoreboard import QueueRecord, Record, Scoreboard


@dataclass(frozen=True, slots=True)
class Place:
    """All a role needs to know of where it runs."""

    config: Config
    board: Scoreboard
    record: Record
    """Its own; the child's part is for it to write."""
    queue: QueueRecord | None
    """For a kind that has one child per worker wanted."""
    name: str
    """For people: `default[3]`, `scheduler`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of child: one line in `roles.KINDS`. The master knows no other word for it."""

    name: str
    main: Callable[[Place], int]
    """Runs in the child until it has drained; returns one of `Exit`."""
    per_queue: bool = False
    """As many as each queue wants workers, scaled at run time; otherwise one."""
    stops_last: bool = False
    """Told to stop only after the others have ended: it settles what they leave."""
    reloads: bool = True
    """Replaced by a fresh process when the configuration is reloaded, which starts before the old
    one ends; False for what cannot run twice at once, and has no code to load."""
    wanted: Callable[[Config], bool] = lambda config: True
