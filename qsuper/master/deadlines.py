"""Jobs whose time is over, or that somebody has cancelled: ended step by step, ever less gently."""

import math
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from qsuper import processes
from qsuper.master.child import Child
from qsuper.master.crew import Crew
from qsuper.scoreboard import REASON_CANCEL, REASON_TIMEOUT, Record

ASK_AFTER = (0.0, 0.3, 0.6)
"""Seconds after a cancel is seen at which the worker's own alarm is rung."""
TERM_AFTER = 1.0
"""Seconds after a job's deadline at which its programs are sent TERM."""
KILL_AFTER = 2.0
"""Seconds after it at which its worker is killed, and all that it has started."""


@dataclass(slots=True)
class _Ending:
    """One run of a job past its deadline."""

    child: Child
    record: Record
    run: tuple[int, int, float]
    since: float
    reason: str
    taken: int = 0
    """Steps taken."""

    @property
    def goes_on(self) -> bool:
        """Whether it is still that run, of that process."""
        return self.child.record is self.record and _run(self.record) == self.run

    @property
    def next(self) -> float:
        """When the next step is to be taken."""
        return (
            self.since + self._steps[self.taken][0] if self.taken < len(self._steps) else math.inf
        )

    @property
    def _steps(self) -> "tuple[_Step, ...]":
        return _STEPS[self.reason]

    def step(self, crew: Crew) -> None:
        """Take the next one."""
        self._steps[self.taken][1](self, crew)
        self.taken += 1

    def ask(self, _crew: Crew) -> None:
        """Have the worker's own alarm raise the soft exception; at a time-out it rings by itself.

        The worker looks again at what it is meant for.
        """
        os.kill(self.child.pid, signal.SIGALRM)

    def terminate(self, _crew: Crew) -> None:
        """TERM to what the job has started: its handler may wait for just that."""
        programs = processes.descendants(self.child.pid, self.record.began)
        if self.goes_on:
            for program in programs:
                processes.send(program, signal.SIGTERM)

    def kill(self, crew: Crew) -> None:
        """KILL of the worker and its whole tree, unless the job has ended this very moment."""
        self.record.reason = self.reason
        if self.goes_on:
            crew.kill(self.child, self.reason)
        else:
            self.record.reason = ""


_Step = tuple[float, Callable[[_Ending, Crew], None]]
_BY_FORCE: tuple[_Step, ...] = ((TERM_AFTER, _Ending.terminate), (KILL_AFTER, _Ending.kill))
_STEPS: dict[str, tuple[_Step, ...]] = {
    REASON_TIMEOUT: _BY_FORCE,
    # A signal that comes just before a call that blocks is not heard until that ends.
    REASON_CANCEL: tuple((after, _Ending.ask) for after in ASK_AFTER) + _BY_FORCE,
}
"""What is done, and how many seconds after the deadline, by reason."""


class Deadlines:
    """Keeps them, turn by turn."""

    def __init__(self) -> None:
        self._endings: dict[Child, _Ending] = {}

    def keep(self, crew: Crew, now: float) -> None:
        """Take the steps whose time has come."""
        self._endings = {
            child: ending
            for child in crew.workers
            if (ending := self._ending(child, now)) is not None
        }
        for ending in self._endings.values():
            while ending.next <= now and ending.goes_on:
                ending.step(crew)

    def next(self, crew: Crew) -> float:
        """When the next step will be due, as far as is known now."""
        return min((self._next(child) for child in crew.workers), default=math.inf)

    def _next(self, child: Child) -> float:
        ending = self._endings.get(child)
        if ending is not None and ending.goes_on:
            return ending.next
        return math.inf if child.record is None else _deadline(child.record)

    def _ending(self, child: Child, now: float) -> _Ending | None:
        known = self._endings.get(child)
        if known is not None and known.goes_on:
            return known
        record = child.record
        if record is None:
            return None
        run = _run(record)
        if (deadline := _deadline(record)) <= now:
            since, reason = deadline, REASON_TIMEOUT
        elif record.unwanted:
            since, reason = now, REASON_CANCEL
        else:
            return None
        ending = _Ending(child, record, run, since, reason)
        return ending if ending.goes_on else None


def _run(record: Record) -> tuple[int, int, float]:
    """What is another for each run of a job in one process."""
    return record.cursor, record.claims, record.began


def _deadline(record: Record) -> float:
    """The clock time at which the time-out of the job in flight is over."""
    if record.timeout <= 0 or not record.cursor & 1:
        return math.inf
    return record.began + record.timeout
