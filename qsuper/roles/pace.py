"""How many jobs to claim at once: many short ones, or one long one."""

from qsuper.roles.waiting import Waiting

TARGET = 0.03
"""Seconds of work a batch should hold: long against a commit, short against a wait."""
FAST = 0.005
"""A task whose jobs take less than this is known to be fast."""
KNOWN_AFTER = 5
_WEIGHT = 0.2
"""Weight of the newest duration in a task's running mean."""


class Pace:
    """What jobs have taken so far, by task; and from it the size of the next batch.

    Time for which the process had no processor is not the jobs'.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._means: dict[str, float] = {}
        self._seen: dict[str, int] = {}
        self._waiting = Waiting()
        self._waited = 0.0
        """Seconds of this batch for which there was no processor."""
        self.size = 1

    def is_fast(self, task: str) -> bool:
        """Whether jobs of this task may run without the finished ones being acked first."""
        return self._seen.get(task, 0) >= KNOWN_AFTER and self._means[task] < FAST

    def batch_begins(self) -> None:
        """What was waited before is not this batch's."""
        self._waiting.since()
        self._waited = 0.0

    def took(self, task: str, seconds: float) -> None:
        """Note one duration. A slow job shrinks the next batch at once."""
        if seconds >= FAST:
            seconds = max(0.0, seconds - self._waited_since())
        mean = self._means.get(task, seconds)
        self._means[task] = mean + _WEIGHT * (seconds - mean)
        self._seen[task] = self._seen.get(task, 0) + 1
        if seconds > TARGET:
            self.size = 1

    def batch_ended(self, jobs: int, seconds: float, all_fast: bool) -> None:
        """Grow at most twofold towards `TARGET` seconds of work, and only on known ground."""
        if not all_fast:
            self.size = 1
            return
        self._waited_since()
        each = max((seconds - self._waited) / jobs, 1e-6)
        wanted = max(1, int(TARGET / each))
        if jobs >= self.size or wanted < self.size:
            self.size = max(1, min(self.size * 2, wanted, self._most))

    def _waited_since(self) -> float:
        waited = self._waiting.since()
        self._waited += waited
        return waited
