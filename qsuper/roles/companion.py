"""The worker's one thread: while a job overstays, it looks after what the worker cannot.

It gives back what has not begun, acks what has finished, renews the lease and posts cancel marks
if nobody else does, and frees claims that committed without the worker's knowledge. All signals
are blocked in it, and it has a connection of its own.
"""

import logging
import signal
import threading
import time

from qsuper.errors import StoreError
from qsuper.place import Place
from qsuper.roles import lease
from qsuper.roles.acks import Acks
from qsuper.roles.batch import Batch
from qsuper.roles.marks import post_marks
from qsuper.scoreboard import clock
from qsuper.store import releasing
from qsuper.store.database import Database, Link

log = logging.getLogger("qsuper.companion")

OVERSTAY = 0.25
"""Seconds after which a job counts as long, and its batch is taken from it."""
ROUND = 5.0
"""Seconds between two rounds while a long job goes on."""
LATENESS = 1.5
MARKS_EVERY = 1.0
"""The same where it looks for cancel marks, too."""
LOOKED_AGO = 2.0
"""Seconds after its last look at which a scheduler is taken to be away."""


class Companion(threading.Thread):
    """Asleep but while a batch is under way."""

    def __init__(self, place: Place, database: Database, batch: Batch, acks: Acks) -> None:
        super().__init__(name="companion", daemon=True)
        self._place = place
        self._record = place.record
        self._batch = batch
        self._acks = acks
        self._link = Link(database)
        self._wanted = threading.Event()
        self._parked = True
        self.active = False
        """Set by the worker around a batch."""
        self.failed = False
        """It could not give back what it had taken: set here, taken back by the worker."""

    def start(self) -> None:
        """Start with all signals blocked: they are the main thread's."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def watch(self) -> None:
        """A batch begins."""
        self.active = True
        if self._parked:
            self._wanted.set()

    def run(self) -> None:
        while True:
            self._parked = True
            # Looked at after it has parked: a batch that began in between has set no event.
            if not self.active:
                self._wanted.wait()
            self._wanted.clear()
            self._parked = False
            self._accompany()

    def _accompany(self) -> None:
        while self.active:
            began = self._record.began
            pause = OVERSTAY
            time.sleep(pause)
            while self._overstays(began):
                try:
                    self._relieve(began)
                except StoreError as error:
                    self._link.drop()
                    self.failed = True
                    log.debug("the companion could not reach the database: %s", error)
                time.sleep(pause)
                pause = min(MARKS_EVERY if self._alone() else ROUND, pause * 2)

    def _overstays(self, began: float) -> bool:
        """Whether the job that began then is still in its code."""
        return self.active and self._record.began == began and self._record.in_flight is not None

    def _relieve(self, began: float) -> None:
        # Taken first and given back after: what is surrendered cannot begin any more, and a
        # give-back of unknown outcome counts as gone; the look for strays finds it.
        surrendered = self._batch.surrender()
        if surrendered:
            self._acks.give_back(self._link.connection, surrendered)
        if self._acks:
            self._acks.flush(self._link.connection)
        if lease.due(self._place, clock(), LATENESS):
            lease.renew(self._place, self._link.connection)
        if self._alone():
            post_marks(self._place, self._link.connection)
        self._free_strays(began)

    def _alone(self) -> bool:
        """Whether no scheduler looks after this node, as in a cron pass."""
        return clock() - self._place.board.header.looked > LOOKED_AGO

    def _free_strays(self, began: float) -> None:
        # While the lock is held the worker claims nothing; and it has nothing but this job, for
        # the rest was surrendered: what else carries its id it does not know of.
        with self._batch.claiming:
            queue, running = self._place.queue, self._record.in_flight
            if queue is None or running is None or not self._overstays(began):
                return
            known = self._batch.unbegun | self._acks.ids | {running}
            releasing.release_strays(
                self._link.connection, queue.name, self._record.worker, frozenset(known)
            )
