"""Process trees: who is told when a parent dies, and how a whole tree is killed."""

import ctypes
import os
import signal

from qsuper import processes
from qsuper.processes import Process

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"prctl({option})")


def become_subreaper() -> None:
    """From now on the orphans among this process's descendants become its children."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(number: int) -> None:
    """Get signal `number` when the parent dies. It may have died before: compare getppid()."""
    _prctl(_PR_SET_PDEATHSIG, number)


def send(process: Process, number: int) -> None:
    """Signal exactly this process, never another that was given its pid since."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError:  # gone
        return
    try:
        now = processes.look(process.pid)
        if now is not None and now.ticks == process.ticks:
            signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        os.close(descriptor)


def kill(pid: int) -> None:
    """SIGKILL a process, which must not have been reaped yet, and all that descends from it.

    The process goes first: one that outlived its programs could report their death as its job's
    failure. What its programs start meanwhile is orphaned to the nearest subreaper.
    """
    family = processes.descendants(pid)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    for process in family:
        send(process, signal.SIGKILL)
