"""What the master ends by force: jobs past their deadline, and a node past its lease."""

import logging

from qsuper.master.crew import Crew
from qsuper.master.deadlines import Deadlines
from qsuper.scoreboard import REASON_LEASE, Header

LEASE_MARGIN = 3.0
"""Seconds before the end of a lease at which the node's trees must be dead."""

log = logging.getLogger("qsuper.master")


class Limits:
    """Enforces them, turn by turn."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._deadlines = Deadlines()
        self.lease_lost = False
        """True until the lease is fresh again: nobody who holds jobs may start."""

    def enforce(self, crew: Crew, now: float) -> None:
        """Kill who is over a limit."""
        self._keep_lease(crew, now)
        self._deadlines.keep(crew, now)

    def next(self, crew: Crew) -> float:
        """When the next job in flight will be the master's business."""
        return self._deadlines.next(crew)

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
            for child in crew.workers:
                crew.kill(child, REASON_LEASE)
