"""The jobs a worker holds: which one runs, which have not begun."""

import threading
from collections import deque

from qsuper.job import Job
from qsuper.scoreboard import Record


class Batch:
    """Shared by the worker, who takes jobs to run, and its companion, who takes all to give back.

    Whoever pops a job under the lock has it; the other never sees it again.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._unbegun: deque[Job] = deque()
        self.position = -1
        self.claiming = threading.Lock()
        """Held while claimed rows are not yet noted here: nobody may think them strays."""

    def hold(self, jobs: list[Job], limits: list[int]) -> None:
        """Note freshly claimed jobs, on the scoreboard first."""
        self._record.hold([job.id for job in jobs], limits)
        with self._lock:
            self._unbegun = deque(jobs)
            self.position = -1

    def next(self) -> Job | None:
        """The next job to run, or None."""
        with self._lock:
            if not self._unbegun:
                return None
            self.position += 1
            return self._unbegun.popleft()

    def surrender(self) -> list[Job]:
        """All that has not begun; the caller gives it back."""
        with self._lock:
            jobs = list(self._unbegun)
            self._unbegun.clear()
            return jobs

    @property
    def unbegun(self) -> frozenset[int]:
        with self._lock:
            return frozenset(job.id for job in self._unbegun)

    def __len__(self) -> int:
        return len(self._unbegun)
