"""When a worker makes room for a fresh one: by jobs done, by age, by memory grown."""

import os
import random

from qsuper import processes
from qsuper.config import WorkerConfig

MEMORY_EVERY = 5.0


class Recycling:
    """Limits with ±10 % of jitter, so that workers forked together do not leave together."""

    def __init__(self, limits: WorkerConfig, now: float) -> None:
        self._max_jobs = limits.max_jobs * random.uniform(0.9, 1.1)
        self._ends = now + limits.max_age * random.uniform(0.9, 1.1) if limits.max_age else 0.0
        self._max_memory = limits.max_memory * random.uniform(0.9, 1.1)
        self._base: int | None = None
        self._measured = now

    def due(self, now: float, jobs: int) -> bool:
        """Whether it is time, after `jobs` jobs."""
        if self._max_jobs and jobs >= self._max_jobs:
            return True
        if self._ends and now >= self._ends:
            return True
        if not self._max_memory:
            return False
        if self._base is None:
            self._base = _own_memory()
            return False
        if now - self._measured < MEMORY_EVERY:
            return False
        self._measured = now
        return _own_memory() - self._base > self._max_memory


def _own_memory() -> int:
    return processes.memory(os.getpid()) or 0
