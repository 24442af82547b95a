"""Jobs that have ended but are not yet written down."""

import threading

from qsuper.config import Config
from qsuper.errors import StoreUnavailable
from qsuper.job import Buried, Done, Failed, Job, Outcome, PutOff
from qsuper.roles import backoff
from qsuper.scoreboard import Record, clock
from qsuper.store import acking
from qsuper.store.backend import StoreBusy
from qsuper.store.database import Connection

UNIFORM_MS = 10
"""Jobs faster than this are acked together, with their mean duration."""
OLD = 0.015
"""Seconds an ack may wait for company."""
UNKNOWN_TASK_WAIT = 15.0
HELD_AGAIN = 5.0
"""Seconds after which an ack is tried again whose row somebody's transaction held: each try waits
a second for the lock, and the worker has other things to do."""

_Ended = tuple[Job, Outcome, int]


class Acks:
    """Filled by the worker; flushed by the worker or, when a job overstays, its companion."""

    def __init__(self, config: Config, record: Record, node: str) -> None:
        self._config = config
        self._record = record
        self._worker = record.worker
        self._node = node
        self._lock = threading.Lock()
        self._done: list[tuple[int, int]] = []
        self._ended: list[_Ended] = []
        self._held_done: list[tuple[int, int]] = []
        self._held_ended: list[_Ended] = []
        self._held_since = 0.0
        self._since = 0.0
        self._doubtful = False

    def __bool__(self) -> bool:
        return bool(self._done or self._ended or self._held_done or self._held_ended)

    @property
    def ids(self) -> frozenset[int]:
        """Jobs that are ours until their ack is written."""
        with self._lock:
            done = [job_id for job_id, _ in self._done + self._held_done]
            return frozenset(done + [job.id for job, _, _ in self._ended + self._held_ended])

    def add(self, job: Job, outcome: Outcome, max_attempts: int, now: float) -> None:
        """Note how a job ended."""
        with self._lock:
            if not self._done and not self._ended:
                self._since = now
            if isinstance(outcome, Done):
                self._done.append((job.id, outcome.took_ms))
            else:
                self._ended.append((job, outcome, max_attempts))

    def is_old(self, now: float) -> bool:
        return bool(self._done or self._ended) and now - self._since > OLD

    def flush(self, connection: Connection) -> None:
        """Write all down. What could not be written stays for the next flush; writing twice does
        no harm, for every write is guarded."""
        with self._lock:
            now = clock()
            if now - self._held_since > HELD_AGAIN:
                self._done, self._held_done = self._held_done + self._done, []
                self._ended, self._held_ended = self._held_ended + self._ended, []
            try:
                self._flush_done(connection)
                self._flush_ended(connection)
            except StoreUnavailable:
                self._doubtful = True
                raise
            self._doubtful = False
            self._since = now

    def _flush_done(self, connection: Connection) -> None:
        while self._done:
            fast = [pair for pair in self._done if pair[1] < UNIFORM_MS]
            group = fast or self._done[:1]
            ids = [job_id for job_id, _ in group]
            mean = sum(took for _, took in group) // len(group)
            count = acking.complete(connection, self._worker, ids, mean)
            held: list[int] = []
            if count != len(ids):
                held = acking.still_to_ack(connection, self._worker, ids)
                if not self._doubtful:
                    self._record.fenced += len(ids) - count - len(held)
            if len(group) == len(self._done):
                self._done = []
            else:
                written = frozenset(group)
                self._done = [pair for pair in self._done if pair not in written]
            if held:
                self._held_done += [pair for pair in group if pair[0] in held]
                self._held_since = clock()

    def _flush_ended(self, connection: Connection) -> None:
        while self._ended:
            try:
                self._end(connection, *self._ended[-1])
            except StoreBusy:
                if connection.backend.name == "sqlite":
                    raise
                self._held_ended.append(self._ended[-1])
                self._held_since = clock()
            self._ended.pop()

    def _end(self, connection: Connection, job: Job, outcome: Outcome, max_attempts: int) -> None:
        if isinstance(outcome, PutOff):
            mine = acking.put_off(
                connection, self._worker, job, node=self._node, wait=UNKNOWN_TASK_WAIT
            )
        elif isinstance(outcome, Failed) and job.attempt < max_attempts:
            mine = acking.retry(
                connection,
                self._worker,
                job,
                node=self._node,
                wait=backoff.wait(job.attempt, self._config.job.backoff),
                error=outcome.error,
                traceback=outcome.traceback,
                took_ms=outcome.took_ms,
            )
        else:
            assert isinstance(outcome, Failed | Buried)
            mine = acking.bury(
                connection,
                self._worker,
                job,
                node=self._node,
                error=outcome.error,
                traceback=outcome.traceback,
                took_ms=outcome.took_ms,
            )
        if not mine and not self._doubtful:
            self._record.fenced += 1
