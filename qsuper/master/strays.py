"""Orphans that the kernel has given to the master: what dead children had started."""

import os
import signal
from contextlib import suppress

from qsuper import processes

ROUNDS = 50
"""Looks at once; the master has other things to do."""


class Strays:
    """The master's children that it did not fork."""

    def __init__(self) -> None:
        # A shell that ends in `exec qsuper run` may have started others before.
        self._known_before = frozenset(processes.children())

    def kill(self, forked: frozenset[int]) -> bool:
        """Kill those there are; whether there were any.

        Not by a look at whole trees, which takes longer than some processes live: what a stray has
        started is the next one, and one that forks and ends without pause must be hit in between.
        """
        found = False
        for _ in range(ROUNDS):
            strays = self._strays(forked)
            if not strays:
                break
            found = True
            for pid in strays:
                # One that runs as another user is told about when it does not end.
                with suppress(PermissionError):
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
        return found

    def _strays(self, forked: frozenset[int]) -> list[int]:
        return [
            pid
            for pid in processes.children()
            if pid not in forked and pid not in self._known_before
        ]

    @staticmethod
    def reap() -> tuple[int, int] | None:
        """Pid and wait status of a child that has ended, stray or not; None when there is none."""
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        return (pid, status) if pid else None
