"""The rolling reload: children are replaced one by one, and none goes before the next is ready."""

import logging
from collections import deque
from collections.abc import Iterable

from qsuper.master.child import Child
from qsuper.master.crew import Crew
from qsuper.scoreboard import PHASES, REASON_STOP
from qsuper.states import ChildState

BOOTS_WITHIN = 60.0
"""Seconds after which a replacement that still boots is taken to hang."""
LEAVES_WITHIN = 1.0
"""Seconds in which one that is sent away while it boots must be gone."""

log = logging.getLogger("qsuper.master")


class Roll:
    """One reload under way."""

    def __init__(
        self, crew: Crew, children: Iterable[Child], leaving: Iterable[Child] = ()
    ) -> None:
        """`leaving`: whom the reload before has sent away while they booted."""
        self._crew = crew
        # Those that run jobs first: all of them import the application, so it is judged at once.
        self._waiting = deque(sorted(children, key=lambda child: not child.kind.per_queue))
        self._fresh: Child | None = None
        self._leaving = list(leaving)
        self._decided = False
        self.trouble = ""
        """Why it stopped before its end."""

    @property
    def over(self) -> bool:
        """Whether all is decided, and nobody has to be seen off."""
        return self._decided and not self._leaving

    def step(self, now: float) -> None:
        """Go as far as can be gone now."""
        self._see_off(now)
        while not self._decided:
            if self._fresh is None:
                self._start_next(now)
            elif not self._judge(self._fresh, now):
                return

    def give_up(self, now: float) -> list[Child]:
        """Another reload, or the stop, takes over: whoever is not ready goes. Who has to be seen
        off by the next."""
        if self._fresh is not None and not self._fresh.retiring:
            self._send_away(self._fresh, now)
        self._fresh, self._decided = None, True
        return self._leaving

    def _start_next(self, now: float) -> None:
        while self._waiting:
            old = self._waiting.popleft()
            if old.state in (ChildState.STARTING, ChildState.RUNNING) and not old.retiring:
                self._fresh = self._crew.replace(old, now)
                return
        self._decided = True
        log.info("reload: every child has been replaced")

    def _judge(self, fresh: Child, now: float) -> bool:
        """Whether the replacement's fate is decided, and what follows from it done."""
        old = fresh.replaces
        if fresh.retiring or old is None:
            self._fresh = None
        elif old.retiring:
            self._send_away(fresh, now)
            self._fresh = None
        elif fresh.boots or not old.alive:
            self._crew.succeed(fresh, now)
            self._fresh = None
        elif fresh.last_exit and not fresh.alive:
            self._stop(
                fresh, f"the replacement of {old.name} did not start ({fresh.last_exit})", now
            )
        elif fresh.state is ChildState.STARTING and now - fresh.since > BOOTS_WITHIN:
            hangs = (
                f"has not started in {BOOTS_WITHIN:g} s: does its application hang in an import?"
            )
            self._stop(fresh, f"the replacement of {old.name} {hangs}", now)
        else:
            return False
        return True

    def _stop(self, fresh: Child, why: str, now: float) -> None:
        self.trouble = f"reload stopped: {why}; those that are left work on as they are"
        log.error("%s", self.trouble)
        self._send_away(fresh, now)
        self._fresh, self._decided = None, True

    def _send_away(self, fresh: Child, now: float) -> None:
        self._crew.dismiss(fresh, now)
        if fresh.alive:
            self._leaving.append(fresh)

    def _see_off(self, now: float) -> None:
        """End who hangs in an import, where it hears no signal.

        Not at once: one that was about to begin a job when it was told to go may do that first.
        One that boots later finds the order, and begins nothing.
        """
        for child in list(self._leaving):
            if child.record is None or PHASES[child.record.phase] != "booting":
                self._leaving.remove(child)
            elif now - child.since > LEAVES_WITHIN:
                self._crew.kill(child, REASON_STOP)
