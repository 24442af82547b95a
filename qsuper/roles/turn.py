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
"""Seconds for which the turn may stay with one holder: then it is taken to be frozen."""
PATIENCE_MOST = 10.0
"""Seconds after which nobody waits any more, however often the turn goes to others."""
_LOOK = 0.001
"""Seconds between two looks at whose turn it is, for each worker of the lane: all of them together
look a thousand times a second."""
_STAMP = 8
"""Bytes a lane at the place of its lock: when its holder has taken it."""


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
    def taken(self, lane: int | None, workers: int, hurry: Callable[[], bool]) -> Iterator[None]:
        """Run the block when it is this worker's turn in the lane, among so many workers of the
        queue; at once without a lane, or when there is reason to `hurry`."""
        if lane is None:
            yield
            return
        place = self._queue * LANES + lane
        try:
            mine = self._wait(place, _LOOK * members(lane, workers)[1], hurry)
        except OSError:  # a file system without locks, or full
            mine = False
        try:
            yield
        finally:
            if mine:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def _wait(self, place: int, rest: float, hurry: Callable[[], bool]) -> bool:
        """Whether it is now this worker's turn. Who has waited for a frozen holder asks only once
        until the lane was free again."""
        began = moved = time.monotonic()
        seen = self._stamp(place)
        while not self._take(place):
            now = time.monotonic()
            if (stamp := self._stamp(place)) != seen:
                seen, moved = stamp, now
                self._in_vain = False
            if self._in_vain or now - moved > PATIENCE:
                self._in_vain = True
                return False
            if now - began > PATIENCE_MOST or hurry():
                return False
            time.sleep(rest * random.uniform(0.5, 1.5))
        self._in_vain = False
        os.pwrite(self._file, time.monotonic_ns().to_bytes(_STAMP), place * _STAMP)
        return True

    def _take(self, place: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except BlockingIOError:
            return False
        return True

    def _stamp(self, place: int) -> bytes:
        return os.pread(self._file, _STAMP, place * _STAMP)


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
