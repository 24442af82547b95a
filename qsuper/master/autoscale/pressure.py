"""How hard pressed the host is: the kernel's pressure figures, else load and memory.

The kernel tells for which part of the last ten seconds something had to wait for the processor,
for memory or for a disk (PSI). Where a container has figures of its own, the worse ones count.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

NEVER = 100
"""The bound that holds nothing back."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure, and how its own bound follows from the configured one."""

    name: str
    percent: float
    share: float = 1.0
    least: float = 0.0

    def most(self, bound: float) -> float:
        """Percent up to which this figure is fine."""
        return min(100.0, self.least + self.share * bound)


_KERNEL = (
    ("cpu", "some", 1.0),
    # Whoever waits for memory is slowed down by orders of magnitude: a little is much.
    ("memory", "some", 0.25),
    # A database that syncs each commit keeps a disk under pressure without any harm.
    ("io", "full", 2.0),
)


def held_back(readings: Iterable[Reading], bound: float) -> str:
    """Why no worker is to be added, with the figures; empty when nothing speaks against it."""
    if bound >= NEVER:
        return ""
    over = [one for one in readings if one.percent > one.most(bound)]
    if not over:
        return ""
    worst = max(over, key=lambda one: one.percent / one.most(bound))
    return f"{worst.name} {worst.percent:.0f} % > {worst.most(bound):.0f} %"


def look(
    proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup"), cores: int | None = None
) -> tuple[Reading, ...]:
    """The figures of this moment; none where the host tells nothing that can be read."""
    try:
        return _kernel(proc, cgroup) or _load_and_memory(
            proc, cores or len(os.sched_getaffinity(0))
        )
    except ValueError:
        return ()


def _kernel(proc: Path, cgroup: Path) -> tuple[Reading, ...]:
    found = []
    for resource, line, share in _KERNEL:
        paths = (proc / "pressure" / resource, cgroup / f"{resource}.pressure")
        percents = [one for path in paths if (one := _average(_read(path), line)) is not None]
        if percents:
            found.append(Reading(f"{resource} pressure", max(percents), share))
    return tuple(found)


def _load_and_memory(proc: Path, cores: int) -> tuple[Reading, ...]:
    found = []
    if load := _read(proc / "loadavg").split():
        beyond = max(0.0, float(load[0]) / cores - 1.0)
        found.append(Reading("load beyond the cores", 100.0 * beyond))
    memory = _meminfo(_read(proc / "meminfo").splitlines())
    total, available = memory.get("MemTotal", 0), memory.get("MemAvailable", 0)
    if total and "MemAvailable" in memory:
        used = 100.0 * (1.0 - available / total)
        found.append(Reading("memory in use", used, share=0.05, least=93.0))
    return tuple(found)


def _read(path: Path) -> str:
    """Its text; empty where the kernel has no such file, or refuses to tell."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _average(text: str, line: str) -> float | None:
    """`avg10` of `some avg10=0.12 avg60=… avg300=… total=…`."""
    for words in map(str.split, text.splitlines()):
        if len(words) > 1 and words[0] == line and words[1].startswith("avg10="):
            return float(words[1].removeprefix("avg10="))
    return None


def _meminfo(lines: Sequence[str]) -> dict[str, int]:
    pairs = (line.partition(":") for line in lines)
    return {name: int(rest.split()[0]) for name, _, rest in pairs if rest.split()}
