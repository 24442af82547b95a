"""One pass over one slice, for crontab: the old `do_queue 10 3`, with a lease of its own."""

import logging
import math

from qsuper.errors import StoreError, StoreUnavailable
from qsuper.exits import Exit
from qsuper.place import Place
from qsuper.roles import deaths, lease
from qsuper.roles.claimer import Claimer
from qsuper.roles.rescuing import free_the_unknown, rescue_the_lost
from qsuper.roles.scheduler import PAUSES
from qsuper.roles.unholding import Unholder
from qsuper.roles.worker import Worker
from qsuper.scoreboard import clock
from qsuper.slices import Slice
from qsuper.store import claiming, limiting, looking, nodes, pausing, rating
from qsuper.store.claiming import Claim
from qsuper.store.database import Connection
from qsuper.tasks.limit import RATE

log = logging.getLogger("qsuper.worker")

START_WITHIN = 60.0
"""Seconds for which a pass waits for a rate: after that crontab's next one is there."""


class StrictClaimer(Claimer):
    """Keeps to its slice, and to what is left of the limit."""

    mine: Slice
    limit: int

    @property
    def slice(self) -> Slice:
        return self.mine

    def look(
        self, connection: Connection, most: int, _everyone: bool, _woken: bool, _mine: Slice
    ) -> Claim:
        left = self.limit - self.record.done - self.record.failed
        if left <= 0:
            return Claim()
        far = False
        while True:
            claim = claiming.claim(
                connection,
                queue=self.name,
                worker=self.worker,
                mine=self.mine,
                most=min(left, most),
                helps=False,
                far=far,
            )
            if claim.jobs:
                return claim
            if far and not claim.conflicts:
                return claim
            # Nothing near the head, which the backlog of other slices may fill; or somebody else
            # was quicker to take what there was. Neither means that nothing is left.
            far = True


class OnePass(Worker):
    """Strict: it helps no other slice, and ends when its own is empty or the limit is reached."""

    def __init__(self, mine: Slice, limit: int, place: Place) -> None:
        super().__init__(place)
        self._mine = mine
        self._limit = limit
        self._prepared = False
        self._pauses_at = 0.0

    def make_claimer(self) -> Claimer:
        claimer = StrictClaimer(
            self.place,
            self.queue,
            self.batch,
            self.acks,
            self.runner.most_attempts,
            self.admission,
        )
        claimer.mine, claimer.limit = self._mine, self._limit
        return claimer

    def tick(self, now: float) -> float | None:
        if self.exit is not Exit.DRAINED:
            return None
        if not self._prepared and not self.order:
            self._prepare()
            self._prepared = True
        if self._paused() and not self.acks:
            return None
        return super().tick(now)

    def trouble(self, error: StoreError) -> None:
        """Wait only for what may pass: a table or a right that lacks would hold up every later
        pass over the slice as well."""
        if isinstance(error, StoreUnavailable):
            super().trouble(error)
            return
        log.error("the database: %s", error)
        self.complaint = str(error)
        self.exit = Exit.GAVE_UP

    def _prepare(self) -> None:
        """What the scheduler and the keeper do in a daemon, once."""
        connection = self.connection()
        lease.renew(self.place, connection)
        deaths.settle_the_dead(self.place, connection)
        rescue_the_lost(self.place, connection)
        free_the_unknown(self.place, connection)
        while looking.promote(connection, self.queue.name):
            pass
        Unholder().tick(connection, clock())

    def _paused(self) -> bool:
        now = clock()
        if now - self._pauses_at >= PAUSES:
            self._pauses_at = now
            self.queue.paused = int(self.queue.name in pausing.paused_queues(self.connection()))
        return super()._paused()

    def nothing(self, _now: float) -> float | None:
        """All done; but a held job of its slice is waited for, where it may go on soon."""
        connection = self.connection()
        held = limiting.first_of_slice(connection, self.queue.name, self._mine)
        if held is None or self.record.done + self.record.failed >= self._limit:
            return None
        job_id, holder = held
        wait = self._wait_for(connection, holder)
        if wait <= rating.AHEAD:
            limiting.unhold_one(connection, holder, job_id)
            return 0.0
        return wait - rating.AHEAD if wait <= START_WITHIN else None

    def _wait_for(self, connection: Connection, holder: str) -> float:
        """Seconds until a limit or a rate has room; for a limit that has none nobody knows."""
        if holder.startswith(RATE):
            return rating.free_in(connection, holder) or 0.0
        slots = limiting.slots(connection, holder)
        return math.inf if slots and all(slot.taken for slot in slots) else 0.0

    def leave(self) -> None:
        super().leave()
        if self.acks:
            # The node stays until somebody has settled what could not be written.
            return
        header = self.board.header
        nodes.leave(self.connection(), header.node, header.nonce)
