"""When and how a worker claims: its slice, its turns at the whole queue, its look for strays."""

from collections.abc import Callable

from qsuper.errors import StoreError
from qsuper.job import Job
from qsuper.place import Place
from qsuper.roles.acks import Acks
from qsuper.roles.admission import Admission
from qsuper.roles.batch import Batch
from qsuper.roles.turn import MANY, lane_of, members
from qsuper.scoreboard import QueueRecord, clock
from qsuper.slices import Slice
from qsuper.store import claiming, releasing
from qsuper.store.claiming import Claim
from qsuper.store.database import Connection

EVERYONE_EVERY = 0.25
"""Seconds after which one claim of the node ignores the slices: a row whose worker sits in a long
job must not wait for it."""
STRAYS_EVERY = 60.0
"""Seconds between two looks for rows that carry the worker's name and that it does not know of:
each may read all that runs."""
STRAYS_OFTEN = 5.0
"""The same while there is reason to think that there are some..."""
AROUND = 5.0
"""Seconds for which no claim is for all when somebody's transaction holds rows at the head: each
one there waits a second for them."""
DOUBT = 60.0
"""...for so many seconds after the database has failed: a claim may be done late."""


class Claimer:
    """Fills the batch."""

    def __init__(
        self,
        place: Place,
        queue: QueueRecord,
        batch: Batch,
        acks: Acks,
        most_attempts: Callable[[Job], int],
        admission: Admission,
    ) -> None:
        self.queue = queue
        self.name = queue.name
        self.record = place.record
        self.worker = place.record.worker
        self._batch = batch
        self._acks = acks
        self._most_attempts = most_attempts
        self.admission = admission
        self._strays_at = clock()
        """Of the last look; nothing can carry a name that is new."""
        self._doubt_until = 0.0
        self.claimed_at = 0.0
        """`clock()` of the last claim: its jobs tell how long they had waited then."""
        self.beaten = 0
        """How many claims in a row have found rows, and others took all of them: more may be
        there."""

    @property
    def slice(self) -> Slice:
        """Its place among the workers of its queue on all nodes, as far as is known here."""
        count = max(1, self.queue.total or self.queue.wanted)
        return Slice((self.queue.first + self.record.ordinal) % count, count)

    def lane(self, most: int) -> int | None:
        """In which lane it has to wait for its turn; None where it need not."""
        return lane_of(self.record.ordinal, self.queue.wanted) if most >= MANY else None

    def claim(
        self, connection: Connection, now: float, most: int, *, woken: bool = False
    ) -> list[Job]:
        """Up to `most` jobs, noted in the batch and on the scoreboard.

        `woken` out of a rest by a hint: a job waits for this very claim. What can wait is done by
        the next one, which follows at once.
        """
        often = STRAYS_OFTEN if now < self._doubt_until else STRAYS_EVERY
        if now - self._strays_at > often and not woken:
            releasing.release_strays(connection, self.name, self.worker, self._acks.ids)
            self._strays_at = now
        everyone = now - self.queue.everyone_at > EVERYONE_EVERY
        if everyone:
            self.queue.everyone_at = now
            # All of the queue's head would be others' as well.
            most = min(most, MANY)
        with self._batch.claiming:
            mine = self._slice_of(self.lane(most))
            claim = self.look(connection, self.admission.size(most), everyone, woken, mine)
            jobs = self._admitted(connection, claim.jobs, most)
            if jobs:
                self.claimed_at = clock()
                self._batch.hold(jobs, [self._most_attempts(job) for job in jobs])
        self.beaten = self.beaten + 1 if claim.conflicts and not claim.jobs else 0
        if claim.locked:
            self.queue.everyone_at = now + AROUND
        self.record.conflicts += claim.conflicts
        if claim.helped:
            self.record.helps += len(claim.jobs)
        return jobs

    def look(
        self, connection: Connection, most: int, everyone: bool, woken: bool, mine: Slice
    ) -> Claim:
        """One claim."""
        return claiming.claim(
            connection,
            queue=self.name,
            worker=self.worker,
            mine=mine,
            most=most,
            everyone=everyone,
            woken=woken,
        )

    def _slice_of(self, lane: int | None) -> Slice:
        """Its own, or those of its lane."""
        if lane is None:
            return self.slice
        count = max(1, self.queue.total or self.queue.wanted)
        first, width = members(lane, self.queue.wanted)
        return Slice((self.queue.first + first) % count, count, width)

    def _admitted(self, connection: Connection, jobs: list[Job], most: int) -> list[Job]:
        try:
            return self.admission.admit(connection, jobs, most)
        except StoreError:
            # They are in no batch, and nobody else knows of them.
            self.doubt()
            raise

    def lose(self) -> None:
        """The database failed: what was claimed and has not begun is left to the look for strays,
        which comes before the next claim."""
        self._batch.surrender()
        self._acks.slots.let_all_go()
        self.doubt()

    def doubt(self) -> None:
        """Rows may carry this worker's name that it does not know of."""
        self._strays_at = 0.0
        self._doubt_until = clock() + DOUBT
