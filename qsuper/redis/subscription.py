"""What Redis pushes: events of watched keys, and calls to wake workers."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis

from qsuper.errors import RedisUnavailable
from qsuper.redis.server import Server
from qsuper.redis.waking import CHANNEL

EVENTS_MOST = 1000
"""Messages taken at once; the others wait in the socket."""


EXPIRED, EVICTED = b"expired", b"evicted"
REMOVED = frozenset((b"del", b"unlink", b"rename_from", b"move_from"))
"""Somebody took the key away: what it stood for is off."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a key."""

    db: int
    name: bytes
    what: bytes
    """`set`, `expire`, `expired`, `del` …, as Redis names it."""

    @property
    def is_end(self) -> bool:
        """Whether the key is gone by it, for good."""
        return self.what == EXPIRED or self.what in REMOVED


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody asks for workers."""

    data: bytes


Message = Event | Call


class Subscription:
    """A connection that only listens. Its errors are `RedisUnavailable`."""

    def __init__(self, server: Server, patterns: Iterable[tuple[int, bytes]]) -> None:
        """`patterns` are of keys, each with the number of its database."""
        self._server = server
        self._connection = server.connection()
        self._tokens = itertools.count(1)
        self._last: tuple[bytes, bytes] | None = None
        self._heard_by: set[bytes] = set()
        self._early: list[Message] = []
        """What came amid the answers to a subscription."""
        self._refused: list[bytes] = []
        channels = [b"__keyspace@%d__:%s" % pair for pair in patterns]
        with server.words():
            self._refused = [name for name in channels if not self._subscribe("PSUBSCRIBE", name)]
            # Not to hear calls costs a look of the scheduler for each, no more.
            self._subscribe("SUBSCRIBE", CHANNEL)

    @property
    def refused(self) -> list[str]:
        """Patterns of keys that we may not listen to, as an ACL must name them."""
        return [f"&{name.decode(errors='backslashreplace')}" for name in self._refused]

    def ask_again(self) -> None:
        """Once more for what was refused: somebody may have granted it."""
        with self._server.words():
            self._refused = [
                name for name in self._refused if not self._subscribe("PSUBSCRIBE", name)
            ]

    def fileno(self) -> int:
        """The socket, for `select`; readable also when it has been closed by the server."""
        return int(self._connection._sock.fileno())

    @property
    def pending(self) -> bool:
        """Whether there is more: `select` cannot see what has been taken from the socket."""
        with self._server.words():
            return bool(self._connection.can_read(timeout=0))

    def messages(self) -> list[Message]:
        """What has come, `EVENTS_MOST` at most."""
        found, self._early = self._early, []
        try:
            with self._server.words():
                while len(found) < EVENTS_MOST and self._connection.can_read(timeout=0):
                    self._take(self._connection.read_response(), found)
        except RedisUnavailable:
            # What came before the end counts; the next call meets the end again.
            if not found:
                raise
        return found

    def barrier(self) -> list[Message]:
        """All that was pushed before this very moment: waits for the answer to a PING."""
        token = b"%d" % next(self._tokens)
        found, self._early = self._early, []
        with self._server.words():
            self._connection.send_command("PING", token)
            while True:
                answer = self._connection.read_response()
                if answer in (token, [b"pong", token]):
                    return found
                self._take(answer, found)

    def close(self) -> None:
        self._connection.disconnect()

    def _subscribe(self, command: str, name: bytes) -> bool:
        """Whether we may."""
        self._connection.send_command(command, name)
        try:
            while True:
                answer = self._connection.read_response()
                if isinstance(answer, list) and answer[0] == command.lower().encode():
                    return True
                self._take(answer, self._early)
        except redis.ResponseError:
            return False

    def _take(self, answer: Any, found: list[Message]) -> None:
        if not isinstance(answer, list):
            return
        if answer[0] == b"message":
            found.append(Call(answer[2]))
        elif answer[0] == b"pmessage" and not self._is_echo(*answer[1:]):
            place, _, name = answer[2].partition(b":")
            db = int(place.removeprefix(b"__keyspace@").removesuffix(b"__"))
            found.append(Event(db, name, answer[3]))

    def _is_echo(self, pattern: bytes, channel: bytes, data: bytes) -> bool:
        """Whether it is one event once more: it comes once for each pattern that fits."""
        if self._last == (channel, data) and pattern not in self._heard_by:
            self._heard_by.add(pattern)
            return True
        self._last, self._heard_by = (channel, data), {pattern}
        return False
