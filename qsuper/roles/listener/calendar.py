"""Which keys fall due soon."""

import heapq

from qsuper.store.ledger import Key

TOUCH_AFTER = 2
"""Milliseconds after its deadline at which a key is looked at: in the deadline's own millisecond
it still exists (measured on Redis 7.0)."""
AGAIN_AFTER = 5
HORIZON = 3000
"""Milliseconds ahead for which keys are waited for; what is due later is in the ledger."""


class Calendar:
    """Keys by deadline, in ms of Redis' clock."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, Key]] = []
        self._deadlines: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._deadlines)

    def put(self, key: Key, deadline: int, now: int) -> None:
        """Wait for it; a deadline that has been is tried again in a moment."""
        if deadline <= now:
            at = now + AGAIN_AFTER
        elif self._deadlines.get(key) == deadline:
            return
        else:
            at = deadline + TOUCH_AFTER
        self._deadlines[key] = deadline
        heapq.heappush(self._heap, (at, key))

    def of(self, key: Key) -> int | None:
        """The deadline for which this key is waited."""
        return self._deadlines.get(key)

    def take(self, now: int, most: int) -> list[Key]:
        """Keys to look at, those that are due first; they stay known until they are dropped."""
        taken: dict[Key, None] = {}
        while self._heap and self._heap[0][0] <= now and len(taken) < most:
            _, key = heapq.heappop(self._heap)
            if key in self._deadlines:
                taken[key] = None
        return list(taken)

    def drop(self, key: Key) -> None:
        self._deadlines.pop(key, None)

    def next(self) -> int | None:
        """When the next look is due, Unix time in ms."""
        return self._heap[0][0] if self._heap else None
