"""A word to idle workers that there is something to do: heard at once, or never needed."""

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qsuper.redis.line import Line

CHANNEL = b"qsuper:wake"
"""Whoever publishes the name of a queue here wakes a worker of it; `mail 20` wakes up to 20."""
PATIENCE = 0.5
"""Seconds that a Redis may take to answer whoever has just enqueued."""
SILENCE = 5.0
"""Seconds for which nothing is said to a Redis that did not answer."""


class Waker:
    """Publishes after a commit; for all threads of a process, on both sides of a fork.

    A Redis that is away costs each thread `PATIENCE` once in `SILENCE`, at most.
    """

    def __init__(self, url: Callable[[], str | None]) -> None:
        self._url = url
        self._line: tuple[int, Line | None] | None = None
        """With the pid of the process whose it is; replaced as one, so that no thread sees half."""
        self._quiet_until = 0.0

    def wake(self, queue: str, count: int = 1) -> None:
        """Never fails: a word that is lost costs one look of the scheduler."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            line = self._own()
            if line is not None:
                words = queue if count == 1 else f"{queue} {count}"
                line.publish(CHANNEL, words.encode())
        except Exception:
            self._quiet_until = time.monotonic() + SILENCE
            self.close()

    def close(self) -> None:
        """Give up the connection, if it is this process's; the next word makes a new one."""
        mine, self._line = self._line, None
        if mine is not None and mine[0] == os.getpid() and mine[1] is not None:
            mine[1].close()

    def _own(self) -> "Line | None":
        """This process's connection, or None where Redis is not set up."""
        mine = self._line
        if mine is None or mine[0] != os.getpid():
            # Never the parent's: its connection would be spoken on from two sides of a fork.
            mine = self._line = (os.getpid(), self._connect())
        return mine[1]

    def _connect(self) -> "Line | None":
        url = self._url()
        if url is None:
            return None
        # Here, not above: redis-py is for those who have a Redis.
        from qsuper.redis.line import Line
        from qsuper.redis.server import Server

        return Line(Server(url, timeout=PATIENCE), PATIENCE)


def read_call(data: bytes) -> tuple[str, int] | None:
    """Queue and count of a message on `CHANNEL`; None when it is none."""
    name, _, count = data.decode("utf-8", "replace").partition(" ")
    if not name or not (count or "1").isdecimal() or len(count) > 9:
        return None
    return name, int(count or 1)
