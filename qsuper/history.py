"""What a node has done in the last hour and the last day: two rings in a mapped file.

The keeper writes, anybody reads. It outlives the processes, so that a restart leaves no more than
a gap.
"""

import mmap
import os
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qsuper.errors import ScoreboardError
from qsuper.scoreboard import OUTCOMES, RUN_BOUNDS, WAIT_BOUNDS, Spread, no_runs, no_waits
from qsuper.scoreboard.fields import make

MAGIC = b"QSHIST01"


@dataclass(frozen=True, slots=True)
class Ring:
    """Points of one width, the oldest overwritten by the newest."""

    width: int
    """Seconds that a point spans."""
    points: int
    first: int
    """Index of its first point in the file."""


HOUR = Ring(width=10, points=360, first=0)
DAY = Ring(width=300, points=288, first=360)
RINGS = (HOUR, DAY)


@dataclass(frozen=True, slots=True)
class Point:
    """A stretch of time. A process that did not run has left no point."""

    at: int
    """Unix time at which it began."""
    seconds: int
    """How long it is."""
    outcomes: dict[str, int]
    """Attempts that ended in it, by `OUTCOMES`."""
    waits: Spread
    """How long those had waited that ended in it."""
    runs: Spread
    ready: int
    """Ready jobs of all queues, at most; counted as the picture counts them."""
    oldest: float
    """Seconds the oldest ready job had waited, at most."""
    wanted: int
    """Workers of all queues that were wanted at its end."""
    running: int
    """Workers there were."""


@dataclass(slots=True)
class Sums:
    """What has been counted since a master started; it only grows."""

    outcomes: Sequence[int] = (0,) * len(OUTCOMES)
    waits: Spread = field(default_factory=no_waits)
    runs: Spread = field(default_factory=no_runs)


@dataclass(frozen=True, slots=True)
class Gauges:
    """What there is at the moment, as `Point` has it."""

    ready: int = 0
    oldest: float = 0.0
    wanted: int = 0
    running: int = 0


# at, ready, oldest in ms, wanted, running; outcomes; waits and runs, each with its sum before.
_GAUGES = 5
_ADDED = len(OUTCOMES) + 2 + len(WAIT_BOUNDS) + 1 + len(RUN_BOUNDS) + 1
_POINT = struct.Struct(f"={_GAUGES + _ADDED}q")
# The sums that were added last, and of which master they are: what is new is what lies beyond them,
# whoever adds it. A keeper that is replaced works on for a while beside the one that follows it.
_LAST = struct.Struct(f"=d{_ADDED}q")
_LAST_AT = len(MAGIC)
_POINTS_AT = _LAST_AT + _LAST.size
SIZE = _POINTS_AT + sum(ring.points for ring in RINGS) * _POINT.size


class History:
    """The file, mapped."""

    def __init__(self, mapped: mmap.mmap) -> None:
        self._mapped = mapped

    @classmethod
    def open(cls, path: Path) -> "History":
        """To read; raises `ScoreboardError` when there is none of this version."""
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size != SIZE or file.read(len(MAGIC)) != MAGIC:
                    raise ScoreboardError(f"{path} is no history of this version")
                return cls(mmap.mmap(file.fileno(), SIZE, access=mmap.ACCESS_READ))
        except OSError as error:
            raise ScoreboardError(f"cannot open {path}: {error.strerror}") from error

    @classmethod
    def keep(cls, path: Path) -> "History":
        """To write; a file of another version is replaced by an empty one."""
        try:
            cls.open(path)
        except ScoreboardError:
            make(path, SIZE, MAGIC)
        with path.open("r+b") as file:
            return cls(mmap.mmap(file.fileno(), SIZE))

    def add(self, sums: Sums, gauges: Gauges, *, master: float, unix: float) -> None:
        """Add to the points of this moment what is new in `sums`; `master` is when that of the sums
        has started."""
        now = [
            *sums.outcomes,
            sums.waits.microseconds,
            *sums.waits.counts,
            sums.runs.microseconds,
            *sums.runs.counts,
        ]
        known, *last = _LAST.unpack_from(self._mapped, _LAST_AT)
        before = last if known == master else [0] * _ADDED
        _LAST.pack_into(self._mapped, _LAST_AT, master, *map(max, now, before))
        added = [max(0, new - old) for new, old in zip(now, before, strict=True)]
        for ring in RINGS:
            self._add_to(ring, added, gauges, unix)

    def _add_to(self, ring: Ring, added: list[int], gauges: Gauges, unix: float) -> None:
        begins = int(unix) // ring.width * ring.width
        place = self._place(ring, begins)
        at, ready, oldest, _, _, *before = _POINT.unpack_from(self._mapped, place)
        if at != begins:
            ready = oldest = 0
            before = [0] * _ADDED
        _POINT.pack_into(
            self._mapped,
            place,
            begins,
            max(ready, gauges.ready),
            max(oldest, int(gauges.oldest * 1000)),
            gauges.wanted,
            gauges.running,
            *(old + new for old, new in zip(before, added, strict=True)),
        )

    def hour(self, unix: float | None = None) -> list[Point]:
        """The last hour in points of ten seconds, the oldest first."""
        return self._read(HOUR, time.time() if unix is None else unix)

    def day(self, unix: float | None = None) -> list[Point]:
        """The last day in points of five minutes."""
        return self._read(DAY, time.time() if unix is None else unix)

    def _read(self, ring: Ring, unix: float) -> list[Point]:
        oldest = unix - ring.width * ring.points
        found = []
        for number in range(ring.points):
            place = _POINTS_AT + (ring.first + number) * _POINT.size
            values = _POINT.unpack_from(self._mapped, place)
            # A clock that was set back has left points of a time to come.
            if oldest < values[0] <= unix:
                found.append(_point(ring, values))
        return sorted(found, key=lambda point: point.at)

    @staticmethod
    def _place(ring: Ring, begins: int) -> int:
        return _POINTS_AT + (ring.first + begins // ring.width % ring.points) * _POINT.size


def _point(ring: Ring, values: tuple[int, ...]) -> Point:
    at, ready, oldest, wanted, running = values[:_GAUGES]
    rest = list(values[_GAUGES:])
    ends = rest[: len(OUTCOMES)]
    waits, runs = _split(rest[len(OUTCOMES) :], 2 + len(WAIT_BOUNDS))
    return Point(
        at,
        ring.width,
        dict(zip(OUTCOMES, ends, strict=True)),
        Spread(waits[1:], waits[0]),
        Spread(runs[1:], runs[0]),
        ready,
        oldest / 1000,
        wanted,
        running,
    )


def _split(values: list[int], at: int) -> tuple[list[int], list[int]]:
    return values[:at], values[at:]
