"""Jobs that have ended but are not yet written down."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from qsuper.errors import StoreUnavailable
from qsuper.job import (
    Buried,
    Cancelled,
    Discarded,
    Done,
    Failed,
    Job,
    Outcome,
    PutOff,
    Snoozed,
)
from qsuper.roles.slots import Slots
from qsuper.scoreboard import Record, clock
from qsuper.store import acking, releasing
from qsuper.store.acking import Report
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

TOOK_MS_MOST = 2**31 - 1
"""What the column holds."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """A job whose end takes a statement of its own."""

    job: Job
    outcome: Outcome
    wait: float | None
    """Seconds until its next attempt; None when none is left."""
    took_ms: int


class Acks:
    """Filled by the worker; flushed by the worker or, when a job overstays, its companion."""

    def __init__(self, record: Record, node: str) -> None:
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
        self.slots = Slots()
        """What its jobs have taken of their limits, to be freed once their ends are written."""

    def __bool__(self) -> bool:
        return bool(self._done or self._ended or self._held_done or self._held_ended)

    @property
    def ids(self) -> frozenset[int]:
        """Jobs that are ours until their ack is written."""
        with self._lock:
            done = [job_id for job_id, _ in self._done + self._held_done]
            return frozenset(done + [end.job.id for end in self._ended + self._held_ended])

    def add(
        self, job: Job, outcome: Outcome, seconds: float, now: float, wait: float | None
    ) -> None:
        """Note how a job ended, `seconds` after it had begun; `wait` is until the next attempt of
        one that failed, None when none is left."""
        took_ms = min(int(seconds * 1000), TOOK_MS_MOST)
        with self._lock:
            if not self._done and not self._ended:
                self._since = now
            if not isinstance(outcome, Done):
                self._ended.append(_Ended(job, outcome, wait, took_ms))
            elif outcome.written:
                pass
            elif outcome.result is not None or job.grouped:
                self._ended.append(_Ended(job, outcome, wait, took_ms))
            else:
                self._done.append((job.id, took_ms))
        if self.slots:
            self.slots.let_go(job.id)

    def is_old(self, now: float, patience: float = OLD) -> bool:
        return bool(self._done or self._ended) and now - self._since > patience

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
        if self.slots:
            self.slots.free(connection, but=self.ids)

    def give_back(self, connection: Connection, jobs: list[Job]) -> None:
        """Give back what has not begun; it is no longer this worker's, whatever comes of that."""
        for job in jobs:
            self.slots.let_go(job.id)
        releasing.release(connection, self._worker, jobs)
        if self.slots:
            self.slots.free(connection, but=self.ids)

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
                self._end(connection, self._ended[-1])
            except StoreBusy:
                if connection.backend.name == "sqlite":
                    raise
                self._held_ended.append(self._ended[-1])
                self._held_since = clock()
            self._ended.pop()

    def _end(self, connection: Connection, end: _Ended) -> None:
        mine = self._write(connection, end.job, end)
        if not mine and not self._doubtful:
            self._record.fenced += 1

    def _write(self, connection: Connection, job: Job, end: _Ended) -> bool:
        """Write one end down; whether the claim was still this worker's."""
        worker, took_ms = self._worker, end.took_ms
        match end.outcome:
            case Done(result):
                return acking.complete_with(connection, worker, job, took_ms=took_ms, result=result)
            case Snoozed(wait):
                return acking.snooze(connection, worker, job, wait=wait)
            case PutOff():
                return acking.put_off(
                    connection, worker, job, node=self._node, wait=UNKNOWN_TASK_WAIT
                )
            case Failed() if end.wait is not None:
                report = self._report(end.outcome, took_ms)
                return acking.retry(connection, worker, job, report, wait=end.wait)
            case Failed() | Buried() | Discarded() | Cancelled():
                write = _FOR_GOOD[type(end.outcome)]
                return write(connection, worker, job, self._report(end.outcome, took_ms))

    def _report(self, outcome: Failed | Buried | Discarded | Cancelled, took_ms: int) -> Report:
        match outcome:
            case Discarded(reason):
                return Report(self._node, reason, took_ms=took_ms)
            case Cancelled():
                return Report(self._node, "cancelled while it ran", took_ms=took_ms)
            case Failed() | Buried():
                return Report(self._node, outcome.error, outcome.traceback, outcome.output, took_ms)


_FOR_GOOD: dict[type, Callable[[Connection, str, Job, Report], bool]] = {
    Failed: acking.bury,
    Buried: acking.bury,
    Discarded: acking.discard,
    Cancelled: acking.cancelled,
}
"""How an end that no attempt follows is written."""
