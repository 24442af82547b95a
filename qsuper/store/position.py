"""How far a round through many jobs has come, as a text that can be handed out and taken back."""

import re
from dataclasses import dataclass
from typing import Self

LAST_ID = 2**63 - 1

_WRITTEN = re.compile(r"(\d{1,3})\.(\d{1,19})\.(-?\d{1,5})\.(\d{1,19})\.([^\0]{1,255})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Spot:
    """A job on the way of a walk."""

    queue: str
    priority: int
    id: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where a round is. Holds for the same choice of jobs only."""

    walk: int
    """The number of the walk it is in."""
    young: int
    """The id by which its walks are parted: see `Round`."""
    spot: Spot
    """The last job that was dealt with."""

    def __str__(self) -> str:
        spot = self.spot
        return f"{self.walk}.{self.young}.{spot.priority}.{spot.id}.{spot.queue}"

    @classmethod
    def read(cls, text: str) -> Self:
        """What `str` has written; raises `ValueError`."""
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise ValueError(f"{text!r:.40} is no position")
        walk, young, priority, last = map(int, written.groups()[:4])
        if max(young, last) > LAST_ID:
            raise ValueError(f"{text!r:.40} is beyond every job")
        return cls(walk, young, Spot(written[5], priority, last))
