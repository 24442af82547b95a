"""One pass over one slice, for crontab: the old `do_queue 10 3`, with a lease of its own."""

from qsuper.place import Place
from qsuper.roles import deaths, lease
from qsuper.roles.claimer import Claimer
from qsuper.roles.rescuing import free_the_unknown, rescue_the_lost
from qsuper.roles.worker import Worker
from qsuper.slices import Slice
from qsuper.store import claiming, looking, nodes, pausing
from qsuper.store.claiming import Claim
from qsuper.store.database import Connection


class StrictClaimer(Claimer):
    """Keeps to its slice, and to what is left of the limit."""

    mine: Slice
    limit: int

    @property
    def slice(self) -> Slice:
        return self.mine

    def look(self, connection: Connection, most: int, _everyone: bool) -> Claim:
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

    def make_claimer(self) -> Claimer:
        claimer = StrictClaimer(
            self.place, self.queue, self.batch, self.acks, self.runner.most_attempts
        )
        claimer.mine, claimer.limit = self._mine, self._limit
        return claimer

    def tick(self, now: float) -> float | None:
        if not self._prepared and not self.order:
            self._prepare()
            self._prepared = True
            if self.queue.paused:
                return None
        return super().tick(now)

    def _prepare(self) -> None:
        """What the scheduler and the keeper do in a daemon, once."""
        connection = self.connection()
        lease.renew(self.place, connection)
        deaths.settle_the_dead(self.place, connection)
        rescue_the_lost(self.place, connection)
        free_the_unknown(self.place, connection)
        while looking.promote(connection, self.queue.name):
            pass
        self.queue.paused = int(self.queue.name in pausing.paused_queues(connection))

    def nothing(self, _now: float) -> float | None:
        return None

    def leave(self) -> None:
        if self.acks:
            # The node stays until somebody has settled what could not be written.
            return
        header = self.board.header
        nodes.leave(self.connection(), header.node, header.nonce)
