"""Process trees: how a whole one is killed."""

import os
import signal

from qsuper import processes


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
        processes.send(process, signal.SIGKILL)
