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


@dataclass(slots=True)
class Case:
    """All that is known of one key when a round decides."""

    key: Key
    events: Sequence[bytes]
    """Since the last look that counted, in order."""
    row: Row | None
    later: Entry | None = None
    """What was seen after the ledger was written last, and is not in it yet."""
    expected: int | None = None
    """The deadline for which this listener was waiting."""
    hint: Seen | None = None
    """A look that did not count because events came with it."""
    seen: Seen | None = None
    """This round's look, if it counts: all events before it are known, and none came after."""

    @property
    def known(self) -> Entry | None:
        """The generation that lives as far as is known."""
        if self.later is not None:
            return self.later
        return self.row.entry if self.row is not None and self.row.armed else None

    @property
    def told(self) -> bool:
        """Whether another listener was quicker to make a job of what this one waited for."""
        fired = self.row.fired if self.row is not None else None
        return fired is not None and self.expected is not None and fired >= self.expected


def decide(case: Case, now: int, plan: Plan) -> None:
    """Add to the plan what follows for one key at `now`, ms of Redis' clock."""
    known, ended = _hear(case, now, plan)
    seen = case.seen
    if seen is None:
        return
    if seen.armed:
        _arm(case, seen, plan)
    elif seen.deadline == FOR_EVER or ended:
        _disarm(case, plan)
    elif seen.gone and known is not None and known.deadline <= now:
        # Gone, and nothing told why: evicted or flushed before, or while nobody listened.
        plan.firings.append(_firing(case.key, known, known.deadline, True, PRESUMED))
    elif case.later is not None:
        plan.arms.append(case.later)


def _hear(case: Case, now: int, plan: Plan) -> tuple[Entry | None, bool]:
    """Go through the events: what lives after them as far as is known, and whether the last thing
    that they told is the key's end."""
    known, ended = case.known, False
    if known is None and case.hint is not None and case.hint.armed and case.hint.deadline <= now:
        known = Entry(case.key, case.hint.deadline, case.hint.value, case.hint.kind)
    changed = False
    told = case.told
    for what in case.events:
        if what == EXPIRED:
            if told and not changed:
                told = False
            elif known is not None and known.deadline <= now + SLACK and not changed:
                plan.firings.append(_firing(case.key, known, known.deadline, True, OBSERVED))
            else:
                # Which generation has ended cannot be told; that one has is certain.
                plan.firings.append(
                    _firing(case.key, known, _blind(plan, case, now), False, OBSERVED)
                )
            known, ended, changed = None, True, False
        elif what in REMOVED:
            known, ended, changed = None, True, False
        elif what == EVICTED:
            ended = False
        else:
            changed, ended = True, False
    return known, ended


def _blind(plan: Plan, case: Case, now: int) -> int:
    """A stand-in for a deadline, another one for each expiry of a key in one round."""
    return now + sum(firing.shot.key == case.key for firing in plan.firings)


def _firing(key: Key, known: Entry | None, fired: int, sure: bool, how: str) -> Firing:
    return Firing(
        Shot(key, fired, sure),
        Expiry(
            db=key.db,
            name=key.name,
            value=None if known is None else known.value,
            kind=UNKNOWN if known is None else known.kind,
            deadline=known.deadline if known is not None and sure else None,
            how=how,
        ),
    )


def _arm(case: Case, seen: Seen, plan: Plan) -> None:
    entry = Entry(case.key, seen.deadline, seen.value, seen.kind)
    if case.row is None or not case.row.armed or case.row.entry != entry:
        plan.arms.append(entry)


def _disarm(case: Case, plan: Plan) -> None:
    if case.row is not None and case.row.armed:
        plan.disarms.append(case.row.entry)
