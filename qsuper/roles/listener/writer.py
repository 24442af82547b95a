"""Writes a plan: the firing and its job in one transaction, or neither."""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from qsuper.config import Config
from qsuper.errors import StoreError, StoreUnavailable
from qsuper.job import NewJob
from qsuper.roles.listener.plan import Firing, Plan
from qsuper.scoreboard import Meter
from qsuper.store import enqueueing, ledger
from qsuper.store.database import Connection
from qsuper.store.ledger import Key
from qsuper.tasks.expiry import PRESUMED, Expiry, job_for
from qsuper.tasks.registry import Registry
from qsuper.tasks.watch import Watch

FIRINGS_MOST = 200
"""In one transaction: a batch commits in some hundredths of a second."""

log = logging.getLogger("qsuper.listener")


class Writer:
    """Keeps the plan until it is written."""

    def __init__(
        self, config: Config, registry: Registry, watches: list[Watch], db: int, meter: Meter
    ) -> None:
        """`db` is the number of the database of `redis.url`."""
        self._meter = meter
        self._config = config
        self._registry = registry
        self._watches = [(db if watch.db is None else watch.db, watch) for watch in watches]
        self.plan = Plan()
        self.by = ""
        """Names this listener's subscription."""

    def is_watched(self, key: Key) -> bool:
        return any(True for _ in self._watching(key))

    def write(self, connection: Connection) -> Counter[str]:
        """Write what is planned; returns how many jobs came into which queue.

        Raises `StoreError`; what is not written then stays planned, and writing it twice does no
        harm.
        """
        made: Counter[str] = Counter()
        plan = self.plan
        plan.firings.sort(key=lambda firing: (firing.shot.key.db, firing.shot.key.hash))
        while plan.firings:
            batch = plan.firings[:FIRINGS_MOST]
            made += self._fire(connection, batch)
            del plan.firings[: len(batch)]
        if plan.arms or plan.disarms:
            with connection.transaction():
                ledger.arm(connection, plan.arms)
                for entry in plan.disarms:
                    ledger.disarm(connection, entry, int(time.time() * 1000))
            plan.arms, plan.disarms = [], []
        return made

    def _fire(self, connection: Connection, firings: Sequence[Firing]) -> Counter[str]:
        try:
            return self._fire_together(connection, firings)
        except StoreUnavailable:
            raise
        except StoreError as error:
            if len(firings) == 1:
                # It stays armed, and so will be tried again; the others shall not wait for it.
                log.error("%s cannot be made a job now: %s", _words(firings[0].expiry), error)
                return Counter()
        made: Counter[str] = Counter()
        for firing in firings:
            made += self._fire(connection, [firing])
        return made

    def _fire_together(self, connection: Connection, firings: Sequence[Firing]) -> Counter[str]:
        made: list[tuple[Firing, NewJob, int]] = []
        fired: list[Expiry] = []
        with connection.transaction():
            for firing in firings:
                if ledger.fire(connection, firing.shot, self.by):
                    fired.append(firing.expiry)
                    made += [
                        (firing, job, enqueueing.insert(connection, job))
                        for job in self._jobs(firing.expiry)
                    ]
        for expiry in fired:
            self._count(expiry)
        for firing, job, job_id in made:
            log.info("%s: job %d, %s", _words(firing.expiry), job_id, job.task)
        return Counter(job.queue for _, job, _ in made)

    def _count(self, expiry: Expiry) -> None:
        self._meter.count("fired")
        if expiry.how == PRESUMED:
            self._meter.count("presumed")
        if expiry.deadline is not None:
            self._meter.late(time.time() - expiry.deadline / 1000)

    def _jobs(self, expiry: Expiry) -> Iterator[NewJob]:
        """One for each task that watches the key."""
        tasks: set[str] = set()
        for watch in self._watching(Key(expiry.db, expiry.name)):
            if watch.task not in tasks:
                tasks.add(watch.task)
                yield job_for(expiry, watch, self._registry, self._config)

    def _watching(self, key: Key) -> Iterator[Watch]:
        return (watch for db, watch in self._watches if db == key.db and watch.matches(key.name))


def _words(expiry: Expiry) -> str:
    late = "" if expiry.deadline is None else f", {time.time() * 1000 - expiry.deadline:.0f} ms ago"
    name = expiry.name[:200].decode("utf-8", "backslashreplace")
    return f"key {name!r} of database {expiry.db} has expired ({expiry.how}{late})"
