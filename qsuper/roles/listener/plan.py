"""What is to be written of a key: decided from its events, a look at it, and the ledger.

Nothing here opens anything or reads a clock: a history can be replayed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from qsuper.redis.keyspace import FOR_EVER, Seen
from qsuper.redis.subscription import EVICTED, EXPIRED, REMOVED
from qsuper.store.ledger import Entry, Key, Row, Shot
from qsuper.tasks.expiry import OBSERVED, PRESUMED, Expiry

UNKNOWN = "unknown"
SLACK = 1000
"""Milliseconds by which our notion of Redis' clock may be behind."""


@dataclass(frozen=True, slots=True)
class Firing:
    """An expiry, and what its job is told."""

    shot: Shot
    expiry: Expiry


@dataclass(slots=True)
class Plan:
    """One round's writes."""

    firings: list[Firing] = field(default_factory=list)
    arms: list[Entry] = field(default_factory=list)
    disarms: list[Entry] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.firings or self.arms or self.disarms)


@dataclass(frozen=True, slots=True)
class Hint:
    """A look that did not count, because events came with it."""

    seen: Seen
    changed: bool
    """Whether what had been heard before it made another generation, which no look has shown."""


@dataclass(slots=True)
class Case:
    """All that is known of one key when a round decides."""

    key: Key
    events: Sequence[bytes]
    """Since the last round that took any, in order."""
    row: Row | None
    later: Entry | None = None
    """What was seen after the ledger was written last, and is not in it yet."""
    expected: int | None = None
    """The deadline for which this listener was waiting."""
    since: int = 0
    """From when on this listener has heard all there was, ms of Redis' clock."""
    heard_after: int = 0
    """The time after which all events happened."""
    hint: Hint | None = None
    """Of the round before, if its look did not count."""
    look: Seen | None = None
    """What this round has seen."""
    counts: bool = True
    """Whether the look does: all events before it are known, and none came after."""

    @property
    def seen(self) -> Seen | None:
        return self.look if self.counts else None

    @property
    def known(self) -> Entry | None:
        """The generation that lives as far as is known."""
        if self.later is not None:
            return self.later
        return self.row.entry if self.row is not None and self.row.armed else None

    @property
    def hinted(self) -> Entry | None:
        if self.hint is None or not self.hint.seen.armed:
            return None
        seen = self.hint.seen
        return Entry(self.key, seen.deadline, seen.value, seen.kind)

    @property
    def ends(self) -> bool:
        """Whether the key was gone in between."""
        return any(what == EXPIRED or what in REMOVED for what in self.events)

    @property
    def told(self) -> bool:
        """Whether a job has been made of the generation that was there before the events: of the
        one that was waited for, or of the last one, which ended when all that was heard."""
        if self.row is None or self.row.fired is None:
            return False
        waited = self.expected if self.later is None else self.later.deadline
        if waited is not None:
            return self.row.fired >= waited
        return not self.row.armed and self.row.fired >= self.since

    def overtaken(self, now: int) -> bool:
        """Whether another listener has armed the generation after the one that was waited for."""
        if self.expected is None or self.known is None or self.later is not None:
            return False
        return self.expected <= now and self.expected < self.known.deadline


def decide(case: Case, now: int, plan: Plan) -> bool:
    """Add to the plan what follows for one key; `now`, ms of Redis' clock, was just after the look.

    Returns whether events have made another generation than the one that is known.
    """
    known, ended, changed = _hear(case, now, plan)
    seen = case.seen
    if seen is None:
        return changed
    if seen.armed:
        _arm(case, seen, plan)
    elif seen.deadline == FOR_EVER or ended:
        _disarm(case, plan)
    elif seen.gone and known is not None and known.deadline <= now:
        # Gone, and nothing told why: evicted or flushed before, or while nobody listened.
        plan.firings.append(_firing(case.key, known, PRESUMED, now))
    elif case.later is not None:
        plan.arms.append(case.later)
    return False


def _hear(case: Case, now: int, plan: Plan) -> tuple[Entry | None, bool, bool]:
    """Go through the events: what lives after them as far as is known, whether the last thing that
    they told is the key's end, and whether they made a generation that nobody has seen."""
    known, told, changed = _before(case, now)
    ended = False
    for place, what in enumerate(case.events):
        if what == EXPIRED:
            if told and not changed:
                told = False
            elif known is not None and known.deadline <= now + SLACK and not changed:
                plan.firings.append(_firing(case.key, known, OBSERVED, now))
            else:
                # Which generation has ended cannot be told; that one has is certain. It ended
                # before the look, and whatever the look shows ends later.
                following = list(case.events[place + 1 :]).count(EXPIRED)
                last = case.hinted or known
                plan.firings.append(_unsure(case, last, _latest(case, now) - following, now))
            known, ended, changed = None, True, False
        elif what in REMOVED:
            known, ended, changed = None, True, False
        elif what == EVICTED:
            ended = False
        else:
            changed, ended = True, False
    return known, ended, changed


def _before(case: Case, now: int) -> tuple[Entry | None, bool, bool]:
    """What lived before the events, whether it has been made a job of, and whether it is only the
    last that was known of the key: another generation had taken its place."""
    hinted = case.hinted
    if hinted is not None and hinted.deadline <= now + SLACK and list(case.events) == [EXPIRED]:
        # The hint's look was after all that was heard before it: this is what has expired now.
        fired = None if case.row is None else case.row.fired
        return hinted, fired is not None and fired >= hinted.deadline, False
    changed = case.hint is not None and case.hint.changed
    known = case.known
    if not changed and not case.told and case.overtaken(now):
        known = Entry(case.key, case.expected or 0, None, UNKNOWN)
    return known, case.told, changed


def _latest(case: Case, now: int) -> int:
    """The latest deadline that what has ended can have had."""
    look = case.look
    return min(now, look.deadline - 1) if look is not None and look.armed else now


def _firing(key: Key, known: Entry, how: str, now: int) -> Firing:
    """The end of a generation that is known."""
    expiry = Expiry(key.db, key.name, known.value, known.kind, known.deadline, how)
    return Firing(Shot(key, known.deadline, now), expiry)


def _unsure(case: Case, last: Entry | None, stand_in: int, now: int) -> Firing:
    """The end of a generation of which at most the value before is known."""
    key, value = case.key, None if last is None else last.value
    kind = UNKNOWN if last is None else last.kind
    expiry = Expiry(key.db, key.name, value, kind, None, OBSERVED)
    return Firing(Shot(key, stand_in, now, case.heard_after), expiry)


def _arm(case: Case, seen: Seen, plan: Plan) -> None:
    entry = Entry(case.key, seen.deadline, seen.value, seen.kind)
    if case.row is None or not case.row.armed or case.row.entry != entry:
        plan.arms.append(entry)


def _disarm(case: Case, plan: Plan) -> None:
    if case.row is not None and case.row.armed:
        plan.disarms.append(case.row.entry)
