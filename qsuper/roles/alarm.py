"""What ends a job's code from outside: its time is over, it is cancelled, the worker must leave."""

import math
import signal
from collections.abc import Callable
from contextvars import copy_context
from types import FrameType

from qsuper.job import Cancelled, Failed, Outcome
from qsuper.scoreboard import Record, clock
from qsuper.tasks.ending import Aborted, Cancelling, SoftTimeout
from qsuper.tasks.run import TIMED_OUT

AGAIN = 0.1
"""Seconds after which it rings again: once that comes just before a call that blocks is not heard
until that ends."""


class Alarm:
    """The process's one alarm, SIGALRM. It rings when the job's time is over; the master rings it
    when the job is cancelled. It raises inside `call` only, and once in a job."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._timeout = 0.0
        self._interruptible = False
        self.rang = False
        """Whether the job in flight was told to end."""
        self.take()

    def take(self) -> None:
        """Have the signal come here."""
        signal.signal(signal.SIGALRM, self._ring)

    def set(self, timeout: float) -> None:
        """For the job that begins now, in seconds from now; 0 for no limit."""
        self._timeout = timeout
        self.rang = False
        if timeout:
            signal.setitimer(signal.ITIMER_REAL, timeout, AGAIN)

    def stop(self) -> None:
        """The job is over."""
        self._interruptible = False
        signal.setitimer(signal.ITIMER_REAL, 0)

    def call(self, code: Callable[[], Outcome]) -> Outcome:
        """Run code of the job, which may be interrupted; only `Aborted` comes out of it."""
        outcome: Outcome | None = None
        try:
            self._interruptible = True
            if self._record.unwanted:
                return Cancelled()
            # Of its own, so that no context variable reaches the next job.
            outcome = copy_context().run(code)
            self._interruptible = False
        except (SoftTimeout, Cancelling) as cause:
            # It struck in the moment after the handler had returned.
            return outcome or Failed(TIMED_OUT, cause=cause)
        return outcome

    def interrupt(self) -> None:
        """Raise `Aborted` in the job in flight, if one is; called by a signal handler."""
        if self._interruptible:
            self._interruptible = False
            raise Aborted

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._interruptible:
            return
        # Looked at again: it may be meant for a job that has ended meanwhile.
        ends = self._record.began + self._timeout if self._timeout else math.inf
        if self._record.unwanted:
            self._interruptible, self.rang = False, True
            raise Cancelling
        if (left := ends - clock()) <= 0:
            self._interruptible, self.rang = False, True
            raise SoftTimeout
        if left < math.inf:
            signal.setitimer(signal.ITIMER_REAL, left, AGAIN)
