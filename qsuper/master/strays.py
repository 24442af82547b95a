"""Orphans that the kernel has given to the master: what dead children had started."""

import os

from qsuper import processes
from qsuper.master import tree


class Strays:
    """The master's children that it did not fork."""

    def __init__(self) -> None:
        # A shell that ends in `exec qsuper run` may have started others before.
        self._known_before = frozenset(processes.children())

    def kill(self, forked: frozenset[int]) -> bool:
        """Kill those there are; whether there were any. They are reaped like any child."""
        strays = [
            pid
            for pid in processes.children()
            if pid not in forked and pid not in self._known_before
        ]
        for pid in strays:
            tree.kill(pid)
        return bool(strays)

    @staticmethod
    def reap() -> tuple[int, int] | None:
        """Pid and wait status of a child that has ended, stray or not; None when there is none."""
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        return (pid, status) if pid else None
