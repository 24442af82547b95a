"""What processes have spent of the CPU."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """User and system time of all of them and of those of their children that have ended."""
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def cpu_nanoseconds(processes: Iterable[psutil.Process]) -> int:
    """The same to the nanosecond, of what lives: for windows in which a tick would be much."""
    total = 0
    for process in processes:
        for thread in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                total += int(thread.read_text().split()[0])
    return total
