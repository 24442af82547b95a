"""Which lines of the log are meant."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from qsuper.logs.lines import Line, begins, parse

LEVELS = ("debug", "info", "warn", "error", "crit")
"""As lines name them, the least urgent first."""

_BATCH = re.compile(r"\d+ jobs, (\d+) to (\d+), in ")


@dataclass(frozen=True, slots=True)
class Sought:
    """Lines that fit all that is given; None means any."""

    job: int | None = None
    """All that was said or printed by this job, and what other processes say of it."""
    task: str | None = None
    level: str | None = None
    """One of `LEVELS`: those that are no less urgent."""
    since: float | None = None
    """Unix time."""

    def fits(self, line: Line) -> bool:
        """Whether this one does."""
        return (
            (self.level is None or line.level in self._levels())
            and (self.task is None or line.task == self.task)
            and (self.job is None or _concerns(line, self.job))
            and (self.since is None or line.stamp >= stamp(self.since))
        )

    def needles(self) -> tuple[bytes, ...]:
        """What fits has one of these in it; without any, everything may. To be found first: a
        gigabyte is searched faster than it is read."""
        if self.job is not None:
            number = self.job
            own = f"job={number} ", f'"job":{number},'
            return tuple(map(str.encode, (*own, f"job {number}", " jobs, ")))
        if self.task is not None:
            return f"task={self.task} ".encode(), f'"task":"{self.task}'.encode()
        if self.level is not None and self.level != LEVELS[0]:
            levels = self._levels()
            text = (f" {level:5} " for level in levels)
            return tuple(map(str.encode, (*text, *(f'"level":"{level}"' for level in levels))))
        return ()

    def pieces(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where what fits begins and ends, with the lines below it that are not the log's own."""
        for start in _starts(data, self.needles()):
            if not begins(data, start):
                continue
            end = _end(data, start)
            line = parse(data[start:end].removesuffix(b"\n"))
            if line is None or not self.fits(line):
                continue
            while end < len(data) and not begins(data, end):
                end = _end(data, end)
            yield start, end

    def _levels(self) -> tuple[str, ...]:
        return LEVELS[LEVELS.index(self.level or LEVELS[0]) :]


def stamp(moment: float) -> str:
    """A Unix time as lines have it."""
    whole = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
    return f"{whole}.{int(moment % 1 * 1000):03d}"


def _concerns(line: Line, job: int) -> bool:
    if line.job is not None:
        return line.job == job
    if batch := _BATCH.match(line.message):
        return int(batch[1]) <= job <= int(batch[2])
    return re.search(rf"\bjob {job}\b", line.message) is not None


def _starts(data: bytes, needles: tuple[bytes, ...]) -> Iterator[int]:
    """Where the lines begin that have one of `needles` in them, or all lines."""
    if not needles:
        start = 0
        while start < len(data):
            yield start
            start = _end(data, start)
        return
    found = set()
    for needle in needles:
        at = data.find(needle)
        while at >= 0:
            found.add(data.rfind(b"\n", 0, at) + 1)
            at = data.find(needle, _end(data, at))
    yield from sorted(found)


def _end(data: bytes, at: int) -> int:
    """Behind the line that this is in."""
    return data.find(b"\n", at) + 1 or len(data)
