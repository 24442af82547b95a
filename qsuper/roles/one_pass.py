"""One pass over one slice, for crontab: the old `do_queue 10 3`, with a lease of its own."""

from qsuper.place import Place
from qsuper.roles import lease
from qsuper.roles.rescuing import rescue_the_lost
from qsuper.roles.worker import Worker
from qsuper.slices import Slice
from qsuper.store import claiming, looking, nodes
from qsuper.store.claiming import Claim


class OnePass(Worker):
    """Strict: it helps no other slice, and ends when its own is empty or the limit is reached."""

    def __init__(self, mine: Slice, limit: int, place: Place) -> None:
        super().__init__(place)
        self._mine = mine
        self._limit = limit
        self._prepared = False

    def tick(self, now: float) -> float | None:
        if not self._prepared and not self.order:
            self._prepare()
            self._prepared = True
        return super().tick(now)

    def _prepare(self) -> None:
        """What the scheduler and the keeper do in a daemon, once."""
        connection = self.connection()
        lease.renew(self.place, connection)
        lease.settle_the_dead(self.place, connection)
        rescue_the_lost(self.place, connection)
        while looking.promote(connection, self.name):
            pass

    @property
    def slice(self) -> Slice:
        return self._mine

    def look(self, _everyone: bool) -> Claim:
        left = self._limit - self.record.done - self.record.failed
        if left <= 0:
            return Claim()
        return claiming.claim(
            self.connection(),
            queue=self.name,
            worker=self.worker,
            mine=self._mine,
            most=min(left, self._batch_size()),
            helps=False,
        )

    def nothing(self, _now: float) -> float | None:
        return None

    def leave(self) -> None:
        header = self.place.board.header
        nodes.leave(self.connection(), header.node, header.nonce)
