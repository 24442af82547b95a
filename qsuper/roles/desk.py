"""Where a running job's word of itself goes: progress onto the scoreboard, and into its row."""

from qsuper.job import Job
from qsuper.scoreboard import Record, clock
from qsuper.store import reporting
from qsuper.store.database import Database
from qsuper.store.threads import Threads

WRITE_EVERY = 1.0
"""Seconds between two writes of progress into a row."""


class WorkerDesk:
    """One per worker. A job may speak from any of its threads, and be cut off in mid-sentence: so
    it has connections of its own, one for each thread."""

    def __init__(self, database: Database, record: Record) -> None:
        self._threads = Threads(database)
        self._record = record
        self._worker = record.worker
        self._written = 0.0
        self._last: Job | None = None
        self.writes = True
        """Whether a row may be written now: on SQLite not while the job holds the write lock."""

    def progress(self, job: Job, fraction: float, text: str) -> None:
        if self._record.in_flight != job.id:
            # Said by a thread that its job has left behind.
            return
        self._record.report(fraction, text)
        now = clock()
        if self.writes and (job is not self._last or now - self._written > WRITE_EVERY):
            self._written, self._last = now, job
            words = f"{fraction:.3g} {text}".strip()
            self._threads.do(lambda own: reporting.progress(own, self._worker, job, words))

    def load_state(self, job: Job) -> str | None:
        return self._threads.do(lambda own: reporting.load_state(own, job.id))

    def save_state(self, job: Job, text: str) -> None:
        self._threads.do(lambda own: reporting.save_state(own, self._worker, job, text))
