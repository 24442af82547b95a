"""A connection for words whose answers nobody waits for."""

import threading
from contextlib import suppress
from typing import Any

import redis

from qsuper.redis.server import Server

_PUBLISH = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n"
"""As the protocol writes it: to have it packed takes three times as long as to send it."""


class Line:
    """The answer to each word is read before the next one: it is there by then, and tells whether
    the connection still lives. For all threads of one process."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._connection: Any = None

    def publish(self, channel: bytes, message: bytes) -> None:
        """Say it, on a new connection when the old one was closed; raises what redis-py raises."""
        words = _PUBLISH % (len(channel), channel, len(message), message)
        with self._lock:
            if self._connection is not None and not self._lives():
                self._drop()
            if self._connection is None:
                self._connection = self._server.connection()
            self._connection.send_packed_command([words], check_health=False)

    def _lives(self) -> bool:
        """Whether it was answered, and nothing follows but silence: a server that has closed the
        connection since has put its end there."""
        try:
            self._connection.read_response()
            return not self._connection.can_read(timeout=0)
        except redis.ConnectionError:
            return False

    def close(self) -> None:
        """Give the connection up."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        gone, self._connection = self._connection, None
        if gone is not None:
            with suppress(redis.RedisError, OSError):
                gone.disconnect()
