"""The stop: those who hold jobs drain first, those who settle what they leave go last."""

import logging

from qsuper.master.child import Child
from qsuper.master.crew import AT_ONCE, Crew, Wanted
from qsuper.scoreboard import REASON_STOP

AT_ONCE_TIMEOUT = 2.0
"""Seconds in which a child that stops at once must have given back what it holds."""
SETTLE_TIMEOUT = 10.0
"""Seconds for what the ended have left to be settled; the next master has the rest settled."""
LAST_TIMEOUT = 5.0
"""Seconds for those who stop last."""

log = logging.getLogger("qsuper.master")


class Ending:
    """One stop under way."""

    def __init__(self, now: float, stop_timeout: float, code: int = 0) -> None:
        self.code = code
        """What `run` is to return."""
        self.over = False
        self._at_once = False
        self._kill_at = now + stop_timeout
        self._settle_until: float | None = None
        self._last_until: float | None = None

    def hurry(self, crew: Crew, now: float) -> None:
        """Drain no longer: jobs in flight are cut short, and claims go back."""
        if self._at_once:
            return
        self._at_once = True
        self._kill_at = min(self._kill_at, now + AT_ONCE_TIMEOUT)
        for child in _first(crew):
            crew.order(child, AT_ONCE, now)

    def filter(self, wanted: Wanted) -> Wanted:
        """Of what the configuration wants, what the stop still wants."""
        if self._last_until is not None:
            return {}
        return {place: count for place, count in wanted.items() if place[0].stops_last}

    def step(self, crew: Crew, unsettled: int, now: float) -> None:
        """Go as far as can be gone now. Those who are not wanted have been told to drain."""
        if first := _first(crew):
            if now >= self._kill_at:
                for child in first:
                    crew.kill(child, REASON_STOP)
            return
        if self._settle_until is None:
            self._settle_until = now + SETTLE_TIMEOUT
        last = [child for child in crew.children if child.kind.stops_last]
        if unsettled and last and self._last_until is None and now < self._settle_until:
            return
        if self._last_until is None:
            if unsettled:
                # A pass has nobody who settles, so that each leaves its worker's to the next one.
                level = logging.WARNING if last else logging.INFO
                log.log(level, "unsettled records that stay for the next master: %d", unsettled)
            self._last_until = now + LAST_TIMEOUT
        if now >= self._last_until:
            for child in crew.alive:
                crew.kill(child, REASON_STOP)
        self.over = not crew.alive


def _first(crew: Crew) -> list[Child]:
    return [child for child in crew.alive if not child.kind.stops_last]
