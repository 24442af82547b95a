"""What frees the slots of jobs that run no more, and has held jobs go on as soon as they may."""

from collections import Counter
from dataclasses import dataclass, field

from qsuper.scoreboard import clock
from qsuper.store import limiting, rating
from qsuper.store.database import Connection
from qsuper.tasks.limit import RATE, may_be_by_value

SLOTS_EVERY = 0.5
RATES_EVERY = 0.1
"""Seconds between two looks at whether a rate holds any jobs..."""
STARTS_EVERY = 0.04
"""...and while one does: less than a worker would wait for a start."""
CLAIMED_WITHIN = 10.0
"""Seconds for which a job that was made ready is waited for before another one is; and after which
one is made ready whatever is known of its rate."""
GIVE_FOR = 0.1
"""Seconds for which limits are looked after before other duties have their turn..."""
NEXT_PAGE = 0.05
"""...and after which the rest of them has its turn again."""
_AFTER_RATES = RATE[:-1] + chr(ord(RATE[-1]) + 1)


@dataclass(slots=True)
class _MadeReady:
    ids: list[int] = field(default_factory=list)
    at: float = -CLAIMED_WITHIN


class Unholder:
    """Idempotent: it runs on every node, beside the workers that free their own slots."""

    def __init__(self) -> None:
        self._made_ready: dict[str, _MadeReady] = {}
        self._unclaimed: dict[str, int] = {}
        """By queue: a job that nobody has claimed for long. It may have no workers, or be paused on
        its nodes."""
        self._rates_known = False
        self._slots_at = 0.0
        self._rates_at = 0.0
        self._after = ""

    def hurry(self) -> None:
        """A worker has died: its slots are wanted."""
        self._slots_at = 0.0

    def tick(self, connection: Connection, now: float) -> bool:
        """What is due at `now`, for a short time; whether jobs may have been made ready."""
        names: list[str] = []
        if now >= self._slots_at:
            names = self._give_slots(connection, now)
            self._slots_at = now + (NEXT_PAGE if self._after else SLOTS_EVERY)
            if not self._rates_known:
                held = any(name.startswith(RATE) for name in names)
                self._rates_known = held or rating.are_kept(connection)
        if self._rates_known and now >= self._rates_at:
            rates = limiting.holders(connection, RATE, _AFTER_RATES)
            self._rates_at = now + (STARTS_EVERY if rates else RATES_EVERY)
            for name in rates:
                self._give_start(connection, name, now)
            names += rates
        return bool(names)

    def _give_slots(self, connection: Connection, now: float) -> list[str]:
        """Free what the dead have left, and have as many held jobs follow as there are slots: a
        page of limits at a time. Returns those that hold jobs."""
        names = limiting.holders(connection, self._after)
        last = names[-1] if len(names) == limiting.HOLDERS_MOST else limiting.LAST
        slots, reached = limiting.slots_between(connection, self._after, last)
        names = [name for name in names if name <= reached]
        self._after = "" if reached == limiting.LAST else reached
        for slot in slots:
            if slot.job_id is not None and slot.claims is not None and not slot.taken:
                limiting.free(connection, slot.name, slot.job_id, slot.claims)
        free = Counter(slot.name for slot in slots if not slot.taken)
        full = {slot.name for slot in slots} - free.keys()
        unused = free.keys() - {slot.name for slot in slots if slot.taken} - set(names)
        self._made_ready = {
            name: made
            for name, made in self._made_ready.items()
            if now - made.at < 2 * CLAIMED_WITHIN
        }
        ends = clock() + GIVE_FOR
        for name in sorted({*names, *filter(may_be_by_value, unused)}):
            if name in unused:
                limiting.remove(connection, name)
            elif not name.startswith(RATE):
                # Where no slots have been made, who takes one makes them.
                self._make_ready(connection, name, 0 if name in full else free[name] or 1, now)
            if clock() > ends:
                self._after = name
                break
        return names

    def _give_start(self, connection: Connection, name: str, now: float) -> None:
        wait = rating.free_in(connection, name)
        made = self._made_ready.get(name, _MadeReady())
        if wait is None or wait <= rating.AHEAD or now - made.at >= CLAIMED_WITHIN:
            self._make_ready(connection, name, 1, now)

    def _make_ready(self, connection: Connection, name: str, most: int, now: float) -> None:
        """Up to `most`, those included that it has made ready before and nobody has claimed."""
        made = self._made_ready.get(name, _MadeReady())
        if made.ids:
            left = limiting.still_ready(connection, made.ids)
            if now - made.at >= CLAIMED_WITHIN:
                self._unclaimed |= {queue: job_id for job_id, queue in left.items()}
                left = {}
            made.ids = list(left)
        wanted = most - len(made.ids)
        if wanted > 0:
            ids = limiting.unhold(connection, name, wanted, list(self._unclaimed.values()))
            if self._unclaimed:
                ids += limiting.unhold(connection, name, wanted - len(ids))
            if not made.ids:
                made.at = now
            made.ids += ids
            self._made_ready[name] = made
