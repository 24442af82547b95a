"""The walk over all watched keys: after each subscription, and where events do not come."""

from collections import deque
from collections.abc import Sequence

from qsuper.redis import keyspace
from qsuper.redis.server import Server
from qsuper.scoreboard import clock
from qsuper.store.ledger import Key

REST_LEAST = 1.0
REST_SHARE = 5
"""A walk that is repeated rests for so many times as long as it took: it shall not be a burden."""


class Walk:
    """Step by step, so that what falls due meanwhile does not wait for its end."""

    def __init__(self, server: Server, patterns: Sequence[tuple[int, bytes]]) -> None:
        self._server = server
        self._patterns = patterns
        self._steps: deque[tuple[int, bytes, int]] = deque()
        self._began = 0.0
        self._again_at: float | None = None
        self.every: float | None = None
        """Seconds between two walks at least; None: none but those that are asked for."""

    def start(self) -> None:
        self._steps = deque((db, pattern, 0) for db, pattern in self._patterns)
        self._began = clock()

    def step(self, now: float) -> list[Key]:
        """Some keys to look at, if a walk is under way or due; raises `RedisError`."""
        if not self._steps and self._is_due(now):
            self.start()
        if not self._steps:
            return []
        db, pattern, cursor = self._steps.popleft()
        cursor, names = keyspace.scan(self._server, db, pattern, cursor)
        if cursor:
            self._steps.appendleft((db, pattern, cursor))
        elif not self._steps and self.every is not None:
            took = clock() - self._began
            self._again_at = clock() + max(self.every, REST_LEAST, REST_SHARE * took)
        return [Key(db, name) for name in names]

    def rest(self, now: float) -> float | None:
        """Seconds until the next step; None when none is to come."""
        if self._steps:
            return 0.0
        if self.every is None or self._again_at is None:
            return None if self.every is None else 0.0
        return max(0.0, self._again_at - now)

    def _is_due(self, now: float) -> bool:
        return self.every is not None and (self._again_at is None or now >= self._again_at)
