"""What the master ends by force: jobs past their time, and a node past its lease."""

import logging
import math
from collections.abc import Iterator

from qsuper.master.child import Child
from qsuper.master.crew import Crew
from qsuper.scoreboard import REASON_LEASE, REASON_TIMEOUT, Header, Record, clock

GRACE = 2.0
"""Seconds after a job's time-out in which its own process may end it, more gently."""
LEASE_MARGIN = 3.0
"""Seconds before the end of a lease at which the node's trees must be dead."""

log = logging.getLogger("qsuper.master")


class Limits:
    """Enforces them, turn by turn."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self.lease_lost = False
        """True until the lease is fresh again: nobody who holds jobs may start."""

    def enforce(self, crew: Crew, now: float) -> None:
        """Kill who is over a limit."""
        self._keep_lease(crew, now)
        for child, record in _workers(crew):
            if _overdue_at(record) <= now:
                self._time_out(crew, child, record)

    @staticmethod
    def next(crew: Crew) -> float:
        """When the next job in flight will be overdue."""
        return min((_overdue_at(record) for _, record in _workers(crew)), default=math.inf)

    @staticmethod
    def _time_out(crew: Crew, child: Child, record: Record) -> None:
        """Kill a child whose job is overdue, unless that job has ended this very moment."""
        seen = (record.cursor, record.began)
        record.reason = REASON_TIMEOUT
        if _overdue_at(record) <= clock() and (record.cursor, record.began) == seen:
            crew.kill(child, REASON_TIMEOUT)
        else:
            record.reason = ""

    def _keep_lease(self, crew: Crew, now: float) -> None:
        header = self._header
        margin = min(LEASE_MARGIN, header.lease / 4)
        stale = now - header.renewed > header.lease - margin
        if not (header.renewed > 0 and not header.alone and stale):
            if self.lease_lost:
                log.info("the lease is fresh again: work goes on")
            self.lease_lost = False
            return
        if not self.lease_lost:
            self.lease_lost = True
            log.error("the lease could not be renewed: other nodes may take over the jobs")
            for child, _ in _workers(crew):
                crew.kill(child, REASON_LEASE)


def _workers(crew: Crew) -> Iterator[tuple[Child, Record]]:
    for child in crew.alive:
        if child.kind.per_queue and child.record is not None and not child.killed:
            yield child, child.record


def _overdue_at(record: Record) -> float:
    """The clock time from which the job in flight is the master's business."""
    if record.timeout <= 0 or not record.cursor & 1:
        return math.inf
    return record.began + record.timeout + GRACE
