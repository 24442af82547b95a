"""Which master's workers were at work when: told by the journal and a register of the workers."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.acceptance.journal import Event


@dataclass(frozen=True, slots=True)
class Reign:
    """The time between the first and the last word of one master's workers, in ns."""

    nonce: str
    began: int
    ended: int


def sign(journal: Path | str, nonce: str) -> None:
    """In a worker: say for which run of the master it works."""
    file = os.open(_register(journal), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, f"{os.getpid()} {nonce}\n".encode())
    os.close(file)


def signed(journal: Path) -> dict[int, str]:
    """The nonce of each worker's master, by the worker's pid."""
    lines = (line.split() for line in _register(journal).read_text().splitlines())
    return {int(pid): nonce for pid, nonce in lines}


def reigns_of(events: Iterable[Event], signed: Mapping[int, str]) -> list[Reign]:
    """The reigns, in the order in which they began."""
    times: dict[str, list[int]] = {}
    for event in events:
        times.setdefault(signed[event.pid], []).append(event.at)
    reigns = [Reign(nonce, min(at), max(at)) for nonce, at in times.items()]
    return sorted(reigns, key=lambda reign: reign.began)


def overlapping_reigns(reigns: Iterable[Reign]) -> list[tuple[str, str]]:
    """Pairs of masters whose workers were at work at one time."""
    return [(one.nonce, two.nonce) for one, two in pairwise(reigns) if two.began < one.ended]


def gaps(reigns: Iterable[Reign]) -> list[float]:
    """Seconds between each reign and the next, in which nobody worked."""
    return [(two.began - one.ended) / 1e9 for one, two in pairwise(reigns)]


def _register(journal: Path | str) -> Path:
    return Path(f"{journal}.workers")
