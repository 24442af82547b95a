"""Lets workers follow the backlog: from the scoreboard to decisions, which others carry out."""

import logging
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from qsuper.config import Autoscale, QueueConfig
from qsuper.config.tables.queues import WORKERS_MOST
from qsuper.master.autoscale import pressure
from qsuper.master.autoscale.course import Course, Decision, Seen
from qsuper.master.autoscale.deciding import STALE, decide
from qsuper.master.autoscale.pressure import Reading
from qsuper.master.autoscale.turnout import Turnout, Turnouts
from qsuper.master.child import Child
from qsuper.scoreboard import Scoreboard
from qsuper.states import State

KEPT = 50
"""Decisions that are kept, those of all queues together."""

log = logging.getLogger("qsuper.master")


class Autoscaler:
    """The courses of the queues whose configuration gives bounds instead of a number."""

    def __init__(self) -> None:
        self.decisions: deque[dict[str, Any]] = deque(maxlen=KEPT)
        """The last ones, the newest last; also why a queue was not given more workers."""
        self._courses: dict[str, Course] = {}
        self._turnouts = Turnouts()
        self._counts: dict[str, tuple[float, int]] = {}
        self._sequence: int | None = None
        self._counted_at = 0.0
        self._stale = False

    def workers(self, queues: Mapping[str, QueueConfig]) -> dict[str, int]:
        """How many workers each of its queues is to have, within the bounds of this moment."""
        return {
            name: min(max(self._course(name, bounds).workers, bounds.min), bounds.max)
            for name, bounds in _bounds(queues).items()
        }

    def look(
        self,
        board: Scoreboard,
        children: Iterable[Child],
        queues: Mapping[str, QueueConfig],
        wanted: Mapping[str, int],
        *,
        asked: Mapping[str, int],
        barred: str,
        now: float,
        unix: float,
    ) -> None:
        """Decide for each queue, once for each count of the keeper's and once when it stays away.

        `wanted` are the workers of all queues now, `asked` those that somebody has asked for,
        `barred` says why nothing may be changed on this node. `now` is the scoreboard's clock.
        """
        bounds = _bounds(queues)
        if not bounds or not self._news(board, now):
            return
        turnouts = self._turnouts.take(children)
        readings = pressure.look()
        paused = {queue.name for queue in board.queues() if queue.paused}
        self._courses = {name: self._course(name, bounds[name]) for name in bounds}
        for name, course in self._courses.items():
            wait, ready = self._counts.get(name, (0.0, 0))
            seen = Seen(
                now=now,
                wait=wait,
                ready=ready,
                turnout=turnouts.get(name, Turnout()),
                counted_ago=now - self._counted_at,
                room=WORKERS_MOST - sum(n for other, n in wanted.items() if other != name),
                readings=readings,
                asked=asked.get(name),
                barred=barred or ("the queue is paused" if name in paused else ""),
            )
            decision = decide(course, bounds[name], seen)
            self._courses[name] = decision.course
            if decision.worth_telling:
                self._tell(name, course.workers, decision, seen, unix)
            wanted = {**wanted, name: decision.workers}

    def _course(self, name: str, bounds: Autoscale) -> Course:
        return self._courses.get(name) or Course(bounds.min)

    def _news(self, board: Scoreboard, now: float) -> bool:
        """Whether the keeper has counted anew, or has just been silent for too long."""
        bulletin = board.bulletin("keeper")
        sequence = bulletin.sequence
        if self._sequence is None:
            # What is there at the start may be the last run's.
            self._sequence, self._counted_at = sequence, now
        # Odd while it is written, and for good when its writer was killed meanwhile.
        if sequence == self._sequence or sequence % 2:
            late = now - self._counted_at > STALE
            fresh, self._stale = late and not self._stale, late
            return fresh
        counted = bulletin.read() or {"queues": []}
        self._sequence, self._counted_at, self._stale = sequence, now, False
        self._counts = {
            queue["queue"]: (queue["oldest_ready"] or 0.0, queue["states"].get(State.READY.word, 0))
            for queue in counted["queues"]
        }
        return True

    def _tell(self, name: str, before: int, decision: Decision, seen: Seen, unix: float) -> None:
        self.decisions.append(
            {
                "at": unix,
                "queue": name,
                "from": before,
                "to": decision.workers,
                "why": decision.why,
                "wait": round(seen.wait, 3),
                "ready": seen.ready,
                "pressure": _figures(seen.readings),
            }
        )
        if decision.workers == before:
            log.info("autoscale: %s stays at %d workers, %s", name, before, decision.why)
        else:
            log.info("autoscale: %s %d -> %d: %s", name, before, decision.workers, decision.why)


def _bounds(queues: Mapping[str, QueueConfig]) -> dict[str, Autoscale]:
    return {name: queue.autoscale for name, queue in queues.items() if queue.autoscale}


def _figures(readings: Iterable[Reading]) -> dict[str, float]:
    return {reading.name: round(reading.percent, 1) for reading in readings}
