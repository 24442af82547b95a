"""Whose turn it is at the database, among workers of one node that take many quick jobs at once.

Sixty-four workers that claim and ack hundreds of rows each, all at the head of one queue, spend
their time waiting for the same pages: MariaDB then does a fifteenth of what it does for four
(docs/decisions/0013-growth.md). So they share few lanes, a part of the rows each, and in a lane
one of them is at the database at a time. A hint like every other: who waits too long goes anyway.
"""

import fcntl
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

LANES = 4
"""Enough for any database: one lane moves tens of thousands of jobs a second."""
MANY = 16
"""Jobs at once from which on the turn is waited for: who takes fewer is no burden."""
PATIENCE = 1.0
"""Seconds: whoever has the turn may be frozen."""
_LOOK = 0.004


class Turn:
    """The lock is the kernel's, on one byte a lane: it ends with the process that holds it."""

    def __init__(self, state_dir: str, queue: int) -> None:
        self._path = Path(state_dir, "turns")
        self._queue = queue
        self._in_vain = False

    @cached_property
    def _file(self) -> int:
        """Opened by whoever has to wait; most never have to."""
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def taken(self, lane: int | None, hurry: Callable[[], bool]) -> Iterator[None]:
        """Run the block when it is this worker's turn in the lane; at once without one, or when
        there is reason to `hurry`."""
        if lane is None:
            yield
            return
        place = self._queue * LANES + lane
        mine = self._wait(place, hurry)
        try:
            yield
        finally:
            if mine:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def _wait(self, place: int, hurry: Callable[[], bool]) -> bool:
        """Whether it is now this worker's turn. Who has waited in vain once asks only once until
        the lane was free again: its holder is frozen."""
        ends = time.monotonic() + (0.0 if self._in_vain else PATIENCE)
        while True:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except BlockingIOError:
                if time.monotonic() >= ends or hurry():
                    self._in_vain = not hurry()
                    return False
                time.sleep(_LOOK * random.uniform(0.5, 1.5))
            except OSError:
                return False
            else:
                self._in_vain = False
                return True


def lane_of(ordinal: int, workers: int) -> int | None:
    """The lane of a worker, by its place among the workers of its queue on this node; None where
    each has a lane for itself."""
    if workers <= LANES or not 0 <= ordinal < workers:
        return None
    return ordinal * LANES // workers


def members(lane: int, workers: int) -> tuple[int, int]:
    """The first worker of a lane, and how many there are: they follow each other."""
    first = -(-lane * workers // LANES)
    return first, -(-(lane + 1) * workers // LANES) - first
