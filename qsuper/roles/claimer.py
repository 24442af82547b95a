"""When and how a worker claims: its slice, its turns at the whole queue, its look for strays."""

from collections.abc import Callable

from qsuper.errors import StoreError
from qsuper.job import Job
from qsuper.place import Place
from qsuper.roles.acks import Acks
from qsuper.roles.admission import Admission
from qsuper.roles.batch import Batch
from qsuper.scoreboard import QueueRecord
from qsuper.slices import Slice
from qsuper.store import claiming, releasing
from qsuper.store.claiming import Claim
from qsuper.store.database import Connection

EVERYONE_EVERY = 8
"""Every so many claims ignore the slice..."""
EVERYONE_AFTER = 1.0
"""...and so does the first one after so many seconds: a row whose worker sits in a long job must
not wait for it."""
STRAYS_EVERY = 5.0


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
        self._claims = 0
        self._everyone_at = 0.0
        self._strays_at = 0.0

    @property
    def slice(self) -> Slice:
        """Its place among the workers of its queue on all nodes, as far as is known here."""
        count = max(1, self.queue.total or self.queue.wanted)
        return Slice((self.queue.first + self.record.ordinal) % count, count)

    def claim(
        self, connection: Connection, now: float, most: int, *, woken: bool = False
    ) -> list[Job]:
        """Up to `most` jobs, noted in the batch and on the scoreboard.

        `woken` out of a rest by a hint: a job waits for this very claim. What can wait is done by
        the next one, which follows at once.
        """
        if now - self._strays_at > STRAYS_EVERY and not woken:
            releasing.release_strays(connection, self.name, self.worker, self._acks.ids)
            self._strays_at = now
        everyone = self._claims % EVERYONE_EVERY == 0 or now - self._everyone_at > EVERYONE_AFTER
        self._claims += 1
        if everyone:
            self._everyone_at = now
        with self._batch.claiming:
            claim = self.look(connection, self.admission.size(most), everyone, woken)
            jobs = self._admitted(connection, claim.jobs, most)
            if jobs:
                self._batch.hold(jobs, [self._most_attempts(job) for job in jobs])
        self.record.conflicts += claim.conflicts
        if claim.helped:
            self.record.helps += len(claim.jobs)
        return jobs

    def look(self, connection: Connection, most: int, everyone: bool, woken: bool) -> Claim:
        """One claim."""
        return claiming.claim(
            connection,
            queue=self.name,
            worker=self.worker,
            mine=self.slice,
            most=most,
            everyone=everyone,
            woken=woken,
        )

    def _admitted(self, connection: Connection, jobs: list[Job], most: int) -> list[Job]:
        try:
            return self.admission.admit(connection, jobs, most)
        except StoreError:
            # They are in no batch, and nobody else knows of them.
            self._strays_at = 0.0
            raise

    def lose(self) -> None:
        """The database failed: what was claimed and has not begun is left to the look for strays,
        which comes before the next claim."""
        self._batch.surrender()
        self._acks.slots.let_all_go()
        self._strays_at = 0.0
