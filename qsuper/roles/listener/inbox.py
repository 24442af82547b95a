"""What has happened to keys since they were looked at last, key by key and in order."""

from collections.abc import Iterable, Iterator

from qsuper.redis.subscription import Event
from qsuper.store.ledger import Key

EXPIRED, EVICTED = b"expired", b"evicted"
REMOVED = frozenset((b"del", b"unlink", b"rename_from", b"move_from"))
"""Somebody took the key away: what it stood for is off."""


class Inbox:
    """Events by key."""

    def __init__(self) -> None:
        self._events: dict[Key, list[bytes]] = {}

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._events)

    def put(self, events: Iterable[Event]) -> None:
        for event in events:
            self._events.setdefault(Key(event.db, event.name), []).append(event.what)

    def of(self, key: Key) -> list[bytes]:
        return self._events.get(key, [])

    def take(self, key: Key) -> list[bytes]:
        """Hand the events of one key out for good."""
        return self._events.pop(key, [])
