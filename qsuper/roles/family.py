"""What a job has started: its processes, their children, and the daemons among them."""

import os
import signal
import time
from contextlib import suppress

from qsuper import processes
from qsuper.processes import Process
from qsuper.scoreboard import clock

GRACE = 0.3
"""Seconds between TERM and KILL."""
_LOOK_EVERY = 0.01
_LOOK_AGAIN = 0.001


def end_what_began(began: float) -> None:
    """End every process below this one that was started since `clock()` time `began`: TERM, then
    KILL. Comes back when nothing is left; the master ends a worker for which that takes too long.

    What is older belongs to an earlier job, which has let it go. A worker is a subreaper, so that
    a daemon is below it, too.
    """
    _send(processes.descendants(os.getpid(), began), signal.SIGTERM)
    kill_at = clock() + GRACE
    while children := _children(began):
        if clock() < kill_at:
            time.sleep(_LOOK_EVERY)
            continue
        # The children first, before the slow look at all processes of the host: one that forks
        # and ends without pause has a new pid by then.
        _send(children, signal.SIGKILL)
        _send(processes.descendants(os.getpid(), began), signal.SIGKILL)
        time.sleep(_LOOK_AGAIN)


def _children(began: float) -> list[Process]:
    """The children started since then; those that have ended are reaped first.

    Nothing can hide: an orphan becomes a child of this process before its parent is a zombie, and
    stays one until it is reaped here.
    """
    oldest = processes.ticks_at(began)
    while True:
        looks = [processes.look(pid) for pid in processes.children()]
        found = [one for one in looks if one is not None and one.ticks >= oldest]
        left = [one for one in found if not (one.zombie and _reaped(one))]
        # What has been reaped may have left children of its own.
        if left or not found:
            return left


def _reaped(child: Process) -> bool:
    """False for one whose main thread alone has ended."""
    with suppress(ChildProcessError):
        return os.waitpid(child.pid, os.WNOHANG)[0] != 0
    return True


def _send(family: list[Process], number: int) -> None:
    for process in family:
        processes.send(process, number)
