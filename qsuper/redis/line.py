"""A connection for words whose answers nobody waits for."""

import threading
import time
from contextlib import suppress
from typing import Any

import redis

from qsuper.redis.server import Server

_PUBLISH = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n"
"""As the protocol writes it: to have it packed takes three times as long as to send it."""


class Line:
    """Answers are read as they come, before a later word: they tell whether the connection still
    lives. For all threads of one process; of no use once it has failed."""

    def __init__(self, server: Server, patience: float) -> None:
        """`patience`: seconds in which an answer has to come, and a thread its turn."""
        self._server = server
        self._patience = patience
        self._lock = threading.Lock()
        self._connection: Any = None
        self._unanswered = 0
        self._since = 0.0
        """When the first word without an answer was said."""
        self._failed = False

    def publish(self, channel: bytes, message: bytes) -> None:
        """Say it, on a new connection when the old one was closed; raises what redis-py raises."""
        words = _PUBLISH % (len(channel), channel, len(message), message)
        if not self._lock.acquire(timeout=self._patience):
            raise redis.TimeoutError
        try:
            if self._failed:
                raise redis.ConnectionError
            self._say(words)
        except BaseException:
            # Cut off in the midst of a word or an answer it is of no use, whatever cut it off.
            self._failed = True
            self._drop()
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """Give the connection up."""
        with self._lock:
            self._drop()

    def _say(self, words: bytes) -> None:
        if self._connection is not None and not self._lives():
            self._drop()
        if self._connection is None:
            self._connection = self._server.connection()
            self._unanswered = 0
        self._connection.send_packed_command([words], check_health=False)
        if not self._unanswered:
            self._since = time.monotonic()
        self._unanswered += 1

    def _lives(self) -> bool:
        """Read what has been answered. When more follows, it is the end that a server puts there
        which has closed the connection."""
        try:
            while self._unanswered and self._connection.can_read(timeout=0):
                self._connection.read_response()
                self._unanswered -= 1
                self._since = time.monotonic()
            if self._unanswered and time.monotonic() - self._since > self._patience:
                raise redis.TimeoutError
            return bool(self._unanswered) or not self._connection.can_read(timeout=0)
        except redis.ConnectionError:
            return False

    def _drop(self) -> None:
        gone, self._connection = self._connection, None
        if gone is not None:
            with suppress(redis.RedisError, OSError):
                gone.disconnect()
