"""Processes that a job started, let go, and that ended as children of this worker.

A worker is a subreaper, so its jobs' orphans become its children; nobody else will reap them.
They are reaped by pid, and late: `waitpid` at once would steal the exit status of a program that
the application still wants to ask about, and its failure would read as 0.
"""

import os
from contextlib import suppress

from qsuper import processes

LOOK_EVERY = 10.0
"""Seconds between two looks."""
PATIENCE = 60.0
"""Seconds for which an ended child may still be asked about."""


class Zombies:
    """Looked at between two batches."""

    def __init__(self) -> None:
        self._looked = 0.0
        self._since: dict[int, float] = {}

    def reap(self, now: float) -> None:
        """Reap who has been a zombie for `PATIENCE` seconds."""
        if now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        self._since = {pid: self._since.get(pid, now) for pid in _zombies()}
        for pid, since in self._since.items():
            if now - since >= PATIENCE:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def _zombies() -> list[int]:
    looks = [processes.look(pid) for pid in processes.children()]
    return [child.pid for child in looks if child is not None and child.zombie]
