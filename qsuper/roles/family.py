"""What a job has started: its processes, their children, and the daemons among them."""

import os
import signal
import time
from contextlib import suppress

from qsuper import processes
from qsuper.processes import TICKS_A_SECOND, Process
from qsuper.scoreboard import clock

GRACE = 0.3
"""Seconds between TERM and KILL."""
PATIENCE = 5.0
"""Seconds after which what does not end is left to the master."""
_LOOK_EVERY = 0.01


def end_what_began(began: float) -> bool:
    """End every process below this one that was started since `clock()` time `began`: TERM, then
    KILL. True when nothing is left.

    What is older belongs to an earlier job, which has let it go. A worker is a subreaper, so that
    a daemon is below it, too.
    """
    family = _since(began)
    _send(family, signal.SIGTERM)
    kill_at, ends = clock() + GRACE, clock() + PATIENCE
    while family and clock() < ends:
        time.sleep(_LOOK_EVERY)
        family = _since(began)
        if clock() >= kill_at:
            _send(family, signal.SIGKILL)
    return not family


def _since(began: float) -> list[Process]:
    # A start time is rounded down to a tick.
    oldest = int(began * TICKS_A_SECOND)
    return [one for one in processes.descendants(os.getpid()) if one.ticks >= oldest]


def _send(family: list[Process], number: int) -> None:
    for process in family:
        with suppress(OSError):
            descriptor = os.pidfd_open(process.pid)
            try:
                if processes.lives(process.pid, process.ticks):
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)
