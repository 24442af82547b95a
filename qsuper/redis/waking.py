"""A word to idle workers that there is something to do: heard at once, or never needed."""

import os
import time
from collections.abc import Callable
from typing import Any

from qsuper.redis.server import Server

CHANNEL = b"qsuper:wake"
"""Whoever publishes the name of a queue here wakes a worker of it; `mail 20` wakes up to 20."""
SILENCE = 5.0
"""Seconds for which nothing is said to a Redis that did not answer."""


class Waker:
    """Publishes after a commit. A Redis that is away costs one time-out every `SILENCE`."""

    def __init__(self, url: Callable[[], str | None]) -> None:
        self._url = url
        self._owner = 0
        self._server: Server | None = None
        self._quiet_until = 0.0

    def wake(self, queue: str, count: int = 1) -> None:
        """Never fails: a word that is lost costs one look of the scheduler."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            client = self._client()
            if client is not None:
                client.publish(CHANNEL, queue if count == 1 else f"{queue} {count}")
        except Exception:
            self._quiet_until = time.monotonic() + SILENCE
            self._owner = 0

    def _client(self) -> Any:
        if self._owner != os.getpid():
            self._owner, url = os.getpid(), self._url()
            # Never the parent's: its connection would be spoken on from two sides of a fork.
            self._server = None if url is None else Server(url, timeout=0.5)
        return None if self._server is None else self._server.client()


def read_call(data: bytes) -> tuple[str, int] | None:
    """Queue and count of a message on `CHANNEL`; None when it is none."""
    name, _, count = data.decode("utf-8", "replace").partition(" ")
    if not name or not (count or "1").isdecimal() or len(count) > 9:
        return None
    return name, int(count or 1)
