"""What has happened to keys since they were looked at last, key by key and in order."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from qsuper.redis.subscription import EXPIRED, Event
from qsuper.store.ledger import Key


class Inbox:
    """Events by key; keys that have expired come first."""

    def __init__(self) -> None:
        self._events: OrderedDict[Key, list[bytes]] = OrderedDict()
        self._after: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._events)

    def put(self, events: Iterable[Event], after: int) -> None:
        """All of them happened after that time, ms of Redis' clock."""
        for event in events:
            key = Key(event.db, event.name)
            self._events.setdefault(key, []).append(event.what)
            self._after.setdefault(key, after)
            if event.what == EXPIRED:
                # It is due now; behind a burst of keys that have just been set it would be late.
                self._events.move_to_end(key, last=False)

    def of(self, key: Key) -> list[bytes]:
        return self._events.get(key, [])

    def after(self, key: Key) -> int | None:
        """The time after which all of this key's events happened; None where there are none."""
        return self._after.get(key)

    def take(self, key: Key, count: int) -> list[bytes]:
        """Hand the first so many events of one key out for good."""
        events = self._events.pop(key, [])
        if count < len(events):
            self._events[key] = events[count:]
        else:
            self._after.pop(key, None)
        return events[:count]
