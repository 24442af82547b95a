"""Process trees: how a whole one is killed."""

import os
import signal

from qsuper import processes
from qsuper.processes import Process


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
