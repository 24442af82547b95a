"""Runs one job of the batch: on the scoreboard, under its time-out, with its output in the log."""

import logging
import time
from dataclasses import replace
from typing import Any

from qsuper import logs
from qsuper.config import Config
from qsuper.config.kinds import TEN_YEARS
from qsuper.job import Buried, Cancelled, Discarded, Done, Failed, Job, Outcome, PutOff, Snoozed
from qsuper.roles import backoff, tracing
from qsuper.roles.alarm import Alarm
from qsuper.roles.desk import WorkerDesk
from qsuper.roles.family import end_what_began
from qsuper.roles.outcomes import word_of
from qsuper.roles.output import Output
from qsuper.roles.surroundings import Surroundings
from qsuper.scoreboard import Record, clock
from qsuper.store import transacting
from qsuper.store.database import Connection, Database
from qsuper.tasks.current import CurrentJob
from qsuper.tasks.ending import SoftTimeout
from qsuper.tasks.hooks import Hooks
from qsuper.tasks.registry import Registry, Task
from qsuper.tasks.run import TIMED_OUT, attempt, run, tell

log = logging.getLogger("qsuper.worker")

TIMEOUT_MOST = float(TEN_YEARS)
"""Seconds; who asks for more means no limit."""
LONG_TRANSACTION = 1.0
"""Seconds for which a transactional task may hold SQLite's one write lock without a warning."""


class Runner:
    """From a job to its outcome; only `Aborted` comes out of it."""

    def __init__(
        self,
        registry: Registry,
        output: Output,
        record: Record,
        config: Config,
        queue: str,
        database: Database,
    ) -> None:
        self._registry = registry
        self._output = output
        self._record = record
        self._defaults = config.job
        self._queue = queue
        self._worker = record.worker
        self._desk = WorkerDesk(database, record)
        self._database = database
        self._holds_all = database.backend.name == "sqlite"
        self._hooks: dict[str, tuple[Hooks, ...]] = {}
        self._task = ""
        self._timeout = -1.0
        self.spoilt = ""
        """Why nothing else may run in this process; empty while all is well."""
        self._alarm = Alarm(record)
        self._tracing = tracing.found(queue, config.app)
        self._surroundings = Surroundings()

    def task(self, job: Job) -> Task | None:
        """The task of a job; None when nobody here knows it."""
        return self._registry.get(job.task)

    def expect(self, connection: Connection, jobs: list[Job]) -> None:
        """These are the next batch; `connection` is the worker's, with nothing under way."""
        if self._tracing is not None:
            self._tracing.expect(connection, jobs)

    def leave(self) -> None:
        """No further job runs in this process."""
        if self._tracing is not None:
            self._tracing.flush()

    def run(
        self, job: Job, task: Task | None, position: int, began: float, *, quiet: bool
    ) -> tuple[Outcome, float]:
        """The job at `position` of the batch; its outcome and when it ended. `quiet`: success is
        not worth a line of its own."""
        self._describe(job, task)
        logs.job_context(job.id, job.attempt, self._worker, job.task)
        if self._tracing is None or task is None:
            outcome, ended = self._timed(task, job, position, began)
        else:
            with self._tracing.span(job) as span:
                outcome, ended = self._timed(task, job, position, began)
                self._tracing.tell(span, outcome, word_of(outcome, self.wait(job, outcome)))
        if why := self._surroundings.put_back(job.task, trusted=quiet):
            self.spoilt = why
            log.warning("its worker is replaced, for it cannot put back what it leaves: %s", why)
        printed = self._output.collect()
        if printed and isinstance(outcome, Failed | Buried):
            outcome = replace(outcome, output=printed)
        self._say(job, outcome, ended - began, quiet)
        return outcome, ended

    def most_attempts(self, job: Job) -> int:
        """As the row says, else the task, else the configuration."""
        if job.max_attempts is not None:
            return max(1, job.max_attempts)
        task = self._registry.get(job.task)
        if task is not None and task.max_attempts is not None:
            return task.max_attempts
        return self._defaults.max_attempts

    def wait(self, job: Job, outcome: Outcome) -> float | None:
        """Seconds until the next attempt of a job that failed; None when none is left."""
        if not isinstance(outcome, Failed) or job.attempt >= self.most_attempts(job):
            return None
        if outcome.wait is not None:
            return outcome.wait
        task = self._registry.get(job.task)
        own = task.backoff if task is not None else None
        return backoff.wait(job.attempt, own or self._defaults.backoff)

    def idle(self) -> None:
        """Nothing runs for a while."""
        self._record.describe(phase="idle", task="")
        self._task = ""

    def interrupt(self) -> None:
        """Raise `Aborted` in the job in flight, if one is; called by a signal handler."""
        self._alarm.interrupt()

    def _timed(
        self, task: Task | None, job: Job, position: int, began: float
    ) -> tuple[Outcome, float]:
        """Its outcome and when it ended; in flight, on the scoreboard, for just so long."""
        self._record.begin(position, began)
        outcome = self._outcome(task, job, began)
        self._record.finish(position)
        return outcome, clock()

    def _outcome(self, task: Task | None, job: Job, began: float) -> Outcome:
        if task is None:
            return PutOff(f"no task named {job.task!r} is registered here")
        self._alarm.set(self._timeout)
        try:
            outcome = self._attempt(task, job, began)
        finally:
            self._alarm.stop()
        return outcome if isinstance(outcome, Done) else self._ended(outcome, began)

    def _ended(self, outcome: Outcome, began: float) -> Outcome:
        """What a job comes to that was not done before its time was over or it was cancelled."""
        if isinstance(outcome, Cancelled) or self._record.unwanted:
            outcome = Cancelled()
        elif not self._timeout or clock() - began < self._timeout:
            return outcome
        elif isinstance(outcome, Failed) and not isinstance(outcome.cause, SoftTimeout):
            # It made something else of the soft exception, or of its programs' end.
            outcome = replace(outcome, error=f"{TIMED_OUT}; {outcome.error}")
        # Only then may the job run again, or another one have its name.
        end_what_began(began)
        return outcome

    def _attempt(self, task: Task, job: Job, began: float) -> Outcome:
        deadline = time.time() + self._timeout if self._timeout else None
        current = CurrentJob(job, self._queue, self._desk, deadline)
        hooks = self._hooks_of(task)
        if not task.transactional:
            return self._alarm.call(lambda: run(task, job, current, hooks))
        try:
            return self._transact(task, job, current, hooks, began)
        finally:
            if self._holds_all and clock() - began > LONG_TRANSACTION:
                log.warning(
                    "it held SQLite's one write lock for %.1f s: everybody else waited",
                    clock() - began,
                )

    def _transact(
        self,
        task: Task,
        job: Job,
        current: CurrentJob,
        hooks: tuple[Hooks, ...],
        began: float,
    ) -> Outcome:
        def work(connection: Any) -> Outcome:
            current.connection, current.store = connection, self._database.place
            outcome = self._alarm.call(lambda: attempt(task, job, current, hooks))
            if self._alarm.rang and isinstance(outcome, Done):
                # It took no notice; what it has read of the connection since nobody knows.
                return Failed(TIMED_OUT, cause=SoftTimeout())
            return outcome

        self._desk.writes = not self._holds_all
        try:
            outcome = transacting.transact(
                self._database, self._worker, job, lambda: _since(began), work
            )
        finally:
            self._desk.writes = True
        current.connection = None
        if hooks and not self._alarm.rang:
            # Outside the transaction: what they add of a failure shall not be rolled back.
            self._alarm.call(lambda: _told(outcome, current, hooks))
        elif hooks:
            tell(outcome, current, hooks)
        return outcome

    def _hooks_of(self, task: Task) -> tuple[Hooks, ...]:
        try:
            return self._hooks[task.name]
        except KeyError:
            found = self._registry.hooks_of(task, self._queue)
            self._hooks[task.name] = found
            return found

    def _describe(self, job: Job, task: Task | None) -> None:
        if job.task != self._task:
            self._record.describe(task=job.task)
            self._task = job.task
        timeout = job.timeout
        if timeout is None:
            timeout = task.timeout if task and task.timeout is not None else self._defaults.timeout
        # A row may say anything; an alarm takes only what is a time.
        timeout = min(max(timeout, 0.0), TIMEOUT_MOST)
        if timeout != self._timeout:
            self._record.timeout = self._timeout = timeout
        if self._record.progress >= 0:
            self._record.report(-1.0)
        self._record.attempt = job.attempt
        self._record.claims = job.claims

    def _say(self, job: Job, outcome: Outcome, seconds: float, quiet: bool) -> None:
        match outcome:
            case Done():
                self._record.done += 1
                log.log(logging.DEBUG if quiet else logging.INFO, "done in %.1f ms", seconds * 1e3)
            case PutOff(why):
                log.warning("put off: %s", why)
            case Snoozed(wait):
                log.info("wants to run again in %.1f s", wait)
            case Discarded(reason):
                log.info("discarded: %s", reason)
            case Cancelled():
                log.info("cancelled after %.1f s", seconds)
            case Failed(error) | Buried(error):
                self._record.failed += 1
                again = isinstance(outcome, Failed) and job.attempt < self.most_attempts(job)
                log.warning("%s: %s", "failed, to be tried again" if again else "dead", error)


def _told(outcome: Outcome, current: CurrentJob, hooks: tuple[Hooks, ...]) -> Outcome:
    tell(outcome, current, hooks)
    return outcome


def _since(began: float) -> int:
    return int((clock() - began) * 1000)
