"""The rolling reload: children are replaced one by one, and none goes before the next is ready."""

import logging
from collections import deque
from collections.abc import Iterable

from qsuper.master.child import Child
from qsuper.master.crew import Crew
from qsuper.states import ChildState

log = logging.getLogger("qsuper.master")


class Roll:
    """One reload under way."""

    def __init__(self, crew: Crew, children: Iterable[Child]) -> None:
        self._crew = crew
        self._waiting = deque(children)
        self._fresh: Child | None = None
        self.over = False
        self.trouble = ""
        """Why it stopped before its end."""

    def step(self, now: float) -> None:
        """Go as far as can be gone now."""
        while not self.over:
            if self._fresh is None:
                self._start_next(now)
            elif not self._judge(self._fresh, now):
                return

    def give_up(self, now: float) -> None:
        """Another reload, or the stop, takes over: whoever is not ready goes."""
        if self._fresh is not None and not self._fresh.retiring:
            self._crew.dismiss(self._fresh, now)
        self._fresh, self.over = None, True

    def _start_next(self, now: float) -> None:
        while self._waiting:
            old = self._waiting.popleft()
            if old.state in (ChildState.STARTING, ChildState.RUNNING) and not old.retiring:
                self._fresh = self._crew.replace(old, now)
                return
        self.over = True
        log.info("reload: every child has been replaced")

    def _judge(self, fresh: Child, now: float) -> bool:
        """Whether the replacement's fate is decided, and what follows from it done."""
        old = fresh.replaces
        if fresh.retiring or old is None:
            self._fresh = None
        elif old.retiring:
            self._crew.dismiss(fresh, now)
            self._fresh = None
        elif fresh.boots or not old.alive:
            self._crew.succeed(fresh, now)
            self._fresh = None
        elif fresh.last_exit and not fresh.alive:
            self.trouble = (
                f"reload stopped: the replacement of {old.name} did not start "
                f"({fresh.last_exit}); those that are left work on as they are"
            )
            log.error("%s", self.trouble)
            self._crew.dismiss(fresh, now)
            self._fresh, self.over = None, True
        else:
            return False
        return True
