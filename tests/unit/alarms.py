"""Alarms at each moment of a program's start, in a process that has no other thread.

With one, the kernel may hand the alarm to that thread, and then the handler runs in the main thread
although that has the signal blocked. A worker's other thread has all signals blocked.
"""

import json
import os
import signal
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from types import FrameType
from unittest import mock

from qsuper import processes
from qsuper.tasks.ending import SoftTimeout
from qsuper.tasks.programs import process
from tests.unit.programs import Bench

ALARMS = 240
FIRST, STEP = 0.0001, 0.00003
"""Seconds from the start to the first alarm, and from each to the next one."""
AGAIN = 0.1
"""Seconds to the next one where an alarm's exception went nowhere, as out of a hook of `fork`."""


def strike(_number: int, _frame: FrameType | None) -> None:
    raise SoftTimeout


def strike_again(_lost: "sys.UnraisableHookArgs") -> None:
    signal.setitimer(signal.ITIMER_REAL, AGAIN)


def left_by_alarms(folder: Path) -> dict[str, list[int]]:
    """The descriptors and the living processes that are left when all programs were cut off."""
    signal.signal(signal.SIGALRM, strike)
    sys.unraisablehook = strike_again
    bench = Bench(folder)
    bench.run("true")
    before = opened()
    for number in range(ALARMS):
        with suppress(SoftTimeout):
            signal.setitimer(signal.ITIMER_REAL, FIRST + number * STEP)
            bench.run("sleep", "60")
    children = [processes.look(pid) for pid in processes.children()]
    living = [child.pid for child in children if child is not None and not child.zombie]
    return {"descriptors": sorted(opened() - before), "processes": living}


def opened() -> set[int]:
    """All descriptors, the look's own among them: the first number that is free."""
    return {int(name) for name in os.listdir("/proc/self/fd")}


def main(folder: str, *unguarded: str) -> None:
    """Print what is left. With a second word the guard of the start is not there."""
    name = "_undisturbed"
    with mock.patch.object(process, name, nullcontext if unguarded else getattr(process, name)):
        json.dump(left_by_alarms(Path(folder)), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
