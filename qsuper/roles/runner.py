"""Runs one job of the batch: on the scoreboard, under its time-out, with its output in the log."""

import logging
import os
import signal
from types import FrameType

from qsuper import logs
from qsuper.config import JobConfig
from qsuper.config.kinds import TEN_YEARS
from qsuper.exits import Exit
from qsuper.job import Done, Failed, Job, Outcome, PutOff
from qsuper.roles.output import Output
from qsuper.scoreboard import Record, clock
from qsuper.tasks import function
from qsuper.tasks.ending import Aborted, SoftTimeout
from qsuper.tasks.registry import Registry, Task

log = logging.getLogger("qsuper.worker")

TIMEOUT_MOST = float(TEN_YEARS)
"""Seconds; who asks for more means no limit."""


class Runner:
    """From a job to its outcome; only `Aborted` comes out of it."""

    def __init__(
        self, registry: Registry, output: Output, record: Record, defaults: JobConfig
    ) -> None:
        self._registry = registry
        self._output = output
        self._record = record
        self._defaults = defaults
        self._worker = record.worker
        self._pid = os.getpid()
        self._interruptible = False
        self._task = ""
        self._timeout = -1.0
        signal.signal(signal.SIGALRM, self._on_alarm)

    def run(self, job: Job, position: int, began: float, *, quiet: bool) -> tuple[Outcome, float]:
        """The job at `position` of the batch; its outcome and when it ended. `quiet`: success is
        not worth a line of its own."""
        task = self._registry.get(job.task)
        self._describe(job, task)
        logs.job_context(job.id, job.attempt, self._worker, job.task)
        self._record.begin(position, began)
        outcome = self._outcome(task, job)
        self._record.finish(position)
        ended = clock()
        self._output.collect()
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

    def idle(self) -> None:
        """Nothing runs for a while."""
        self._record.describe(phase="idle", task="")
        self._task = ""

    def interrupt(self) -> None:
        """Raise `Aborted` in the job in flight, if one is; called by a signal handler."""
        if self._interruptible:
            self._interruptible = False
            raise Aborted

    def _on_alarm(self, _signal: int, _frame: FrameType | None) -> None:
        if self._interruptible:
            self._interruptible = False
            raise SoftTimeout

    def _outcome(self, task: Task | None, job: Job) -> Outcome:
        if task is None:
            return PutOff(f"no task named {job.task!r} is registered here")
        if self._timeout:
            if signal.getsignal(signal.SIGALRM) != self._on_alarm:
                # The job before has set one of its own.
                signal.signal(signal.SIGALRM, self._on_alarm)
            signal.setitimer(signal.ITIMER_REAL, self._timeout)
        outcome: Outcome | None = None
        try:
            self._interruptible = True
            outcome = function.run(task, job)
            self._interruptible = False
        except SoftTimeout:
            # It struck in the moment after the handler had returned.
            return Failed(function.TIMED_OUT)
        finally:
            if os.getpid() != self._pid:
                # The job forked and let the copy return, too: it must not become a second worker
                # of this one's name, connection and batch.
                os._exit(Exit.DRAINED if isinstance(outcome, Done) else Exit.BUG)
            self._interruptible = False
            signal.setitimer(signal.ITIMER_REAL, 0)
        return outcome

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
        self._record.attempt = job.attempt

    def _say(self, job: Job, outcome: Outcome, seconds: float, quiet: bool) -> None:
        if isinstance(outcome, Done):
            self._record.done += 1
            log.log(logging.DEBUG if quiet else logging.INFO, "done in %.1f ms", seconds * 1e3)
        elif isinstance(outcome, PutOff):
            log.warning("put off: %s", outcome.why)
        else:
            self._record.failed += 1
            again = isinstance(outcome, Failed) and job.attempt < self.most_attempts(job)
            log.warning("%s: %s", "failed, to be tried again" if again else "dead", outcome.error)
