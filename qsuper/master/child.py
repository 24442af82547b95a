"""A place that a process fills: supervisord's states, and when to fill it again.

Nothing here forks, signals or reads a clock: events come in with their time, so that a history
of them can be replayed.
"""

import math
import os
import random
from collections.abc import Callable

from qsuper.exits import Exit, describe
from qsuper.place import Kind
from qsuper.scoreboard import PHASES, Record
from qsuper.states import ChildState

LONG_ENOUGH = 1.0
"""Seconds after which a life counts as one: the next crash is the first again."""
SPACING = 0.2
"""Seconds between two forks for one place, whatever the reason."""
FIRST_DELAY = 0.2
LONGEST_DELAY = 30.0
BOOTS_BEFORE_FATAL = 3
FATAL_DELAY = 60.0

_FILLED = (ChildState.STARTING, ChildState.RUNNING, ChildState.STOPPING)


class Child:
    """One place: `default[3]`, `scheduler`."""

    def __init__(
        self,
        kind: Kind,
        now: float,
        *,
        queue: str | None = None,
        number: int = 0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.kind = kind
        self.queue = queue
        self.number = number
        self.name = kind.name if queue is None else f"{queue}[{number}]"
        self.state = ChildState.STOPPED
        self.since = now
        self.retry_at = now
        """When to fork; infinite once the place needs no process any more."""
        self.pid = 0
        self.record: Record | None = None
        """That of its living process."""
        self.forks = 0
        self.boots = 0
        self.last_exit = ""
        self.retiring = False
        """It leaves, and no other process takes the place."""
        self.replaces: Child | None = None
        """It starts in order to take the place of this one, which works on until then."""
        self.killed = False
        """The master has sent SIGKILL; the rest is waiting."""
        self.crashes = 0
        """In a row, refused boots included, however long it lived."""
        self._failures = 0
        """In a row: crashes of lives that were worth nothing."""
        self._refused_boots = 0
        self._forked_at = -math.inf
        self._jitter = jitter

    @property
    def alive(self) -> bool:
        """Whether a process fills the place."""
        return self.state in _FILLED

    @property
    def idle(self) -> bool:
        """Whether its process has no job under way."""
        return self.record is None or PHASES[self.record.phase] != "busy"

    @property
    def finished(self) -> bool:
        """Whether it has done what it was for: only a child that runs once ever has."""
        return not self.alive and self.retry_at == math.inf

    def due(self, now: float) -> bool:
        """Whether a process should be forked for it now."""
        return not self.alive and not self.retiring and now >= self.retry_at

    def forked(self, pid: int, record: Record, now: float) -> None:
        """STOPPED, BACKOFF, FATAL -> STARTING."""
        self.pid, self.record, self._forked_at = pid, record, now
        self.forks += 1
        self.killed = False
        self._become(ChildState.STARTING, now)

    def booted(self, now: float) -> None:
        """STARTING -> RUNNING."""
        self.boots += 1
        self._refused_boots = 0
        self._become(ChildState.RUNNING, now)

    def told_to_stop(self, now: float) -> None:
        """STARTING, RUNNING -> STOPPING."""
        self._become(ChildState.STOPPING, now)

    def exited(
        self, status: int, now: float, *, worked: bool, once: bool = False, said: str = ""
    ) -> None:
        """Its process has ended with this wait status; `worked`: it had done jobs; `said`: what it
        complained of last.

        With `once` a child that drained unasked has done what it was for.
        """
        code = os.waitstatus_to_exitcode(status)
        self.last_exit = describe(status)
        if code in (Exit.CANNOT_BOOT, Exit.GAVE_UP) and said:
            self.last_exit += f": {said}"
        self.pid, self.record = 0, None
        if self.state is ChildState.STOPPING:
            self._rest(ChildState.STOPPED, 0.0, now)  # STOPPING -> STOPPED
        elif code == Exit.DRAINED and once:
            self._rest(ChildState.STOPPED, math.inf, now)
        elif code in (Exit.DRAINED, Exit.RECYCLED):
            self.crashes = self._failures = 0
            self._rest(ChildState.STOPPED, 0.0, now)  # RUNNING -> STOPPED, to be filled anew
        elif code == Exit.CANNOT_BOOT:
            self._refuse_boot(now)
        elif code == Exit.GAVE_UP:
            self._rest(ChildState.FATAL, FATAL_DELAY, now)  # RUNNING -> FATAL
        else:
            self._crash(now, good=worked or now - self._forked_at > LONG_ENOUGH)

    def failed_to_fork(self, why: str, now: float) -> None:
        """The host, or the scoreboard, has no room for another process: -> BACKOFF."""
        self.last_exit = why
        self._crash(now, good=False)

    def retry_now(self, now: float) -> None:
        """Somebody believes that the cause is mended: BACKOFF, FATAL -> at once."""
        self.crashes = self._failures = self._refused_boots = 0
        self.retry_at = now

    def _refuse_boot(self, now: float) -> None:
        self.crashes += 1
        self._refused_boots += 1
        if self._refused_boots >= BOOTS_BEFORE_FATAL:
            self._rest(ChildState.FATAL, FATAL_DELAY, now)  # STARTING -> FATAL
        else:
            self._rest(ChildState.BACKOFF, self._delay(self._refused_boots), now)

    def _crash(self, now: float, *, good: bool) -> None:
        """`good`: the life was worth something, so the next one may follow at once."""
        self.crashes += 1
        self._failures = 0 if good else self._failures + 1
        delay = 0.0 if good else self._delay(self._failures)
        self._rest(ChildState.BACKOFF, delay, now)  # STARTING, RUNNING -> BACKOFF

    def _delay(self, failures: int) -> float:
        """Seconds after so many failures in a row: doubled each time, spread by a quarter."""
        # The exponent is bounded because a float overflows after a thousand failures.
        grown = FIRST_DELAY * 2.0 ** min(failures - 1, 16)
        return min(LONGEST_DELAY, grown) * (0.75 + 0.5 * self._jitter())

    def _rest(self, state: ChildState, delay: float, now: float) -> None:
        self.retry_at = max(now + delay, self._forked_at + SPACING)
        self._become(state, now)

    def _become(self, state: ChildState, now: float) -> None:
        if state is not self.state:
            self.state, self.since = state, now
