"""Slots: at most so many jobs of a limit run at once, on however many nodes.

Each limit has a row for each job that may run under it. Who would run a job takes a free one by a
guarded UPDATE, and writes its fence (id and claims) into it; a slot whose fence is no longer that
of a running row is free, too. A job for which there is none is `held`: out of the way of all
others, until what frees a slot makes the first one of the limit ready again.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qsuper.job import Job
from qsuper.slices import Slice
from qsuper.states import State
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection
from qsuper.store.locked import run_around_locks

UNHOLD_MOST = 500
"""Rows made ready by one statement."""
HOLDERS_MOST = 500
SLOTS_MOST = 1000
"""Slots that are looked at together, where no limit has more."""

_RUNNING = "LEFT JOIN queue ON queue.id = limits.job_id AND queue.status = 2"
_COLUMNS = "limits.name, limits.slot, limits.job_id, limits.claims, queue.id"
# A slot is written after its claim has been committed: whoever sees the one sees the other.
_SLOTS = Statement(
    f"""
    SELECT {_COLUMNS} FROM limits {_RUNNING} AND queue.claims = limits.claims
    WHERE limits.name = :name ORDER BY limits.slot
    """
)
_SLOTS_BETWEEN = Statement(
    f"""
    SELECT {_COLUMNS} FROM limits {_RUNNING} AND queue.claims = limits.claims
    WHERE limits.name > :after AND limits.name <= :last
    ORDER BY limits.name, limits.slot LIMIT :most
    """
)
_MAKE = Statement(
    "INSERT INTO limits (name, slot) VALUES (:name, :slot) {on_same_slot} name = limits.name",
)
_TAKE = Statement(
    """
    UPDATE limits SET job_id = :id, claims = :claims
    WHERE name = :name AND slot = :slot
        AND (job_id IS NULL OR (job_id = :old_id AND claims = :old_claims))
    """
)
_FREE = Statement(
    """
    UPDATE limits SET job_id = NULL, claims = NULL
    WHERE name = :name AND job_id = :id AND claims = :claims
    """
)
_REMOVE = Statement("DELETE FROM limits WHERE name = :name AND slot >= :most AND job_id IS NULL")

_HOLD = Statement(
    """
    UPDATE queue SET attempt = {less_one}, worker = NULL, solo = 0, mtime = {now},
        held_by = CASE WHEN cancel = 1 THEN NULL ELSE :name END,
        status = CASE WHEN cancel = 1 THEN 5 ELSE 6 END
    WHERE id IN {ids} AND {status} = 2 AND worker = :worker AND claims = :claims
    """
)
_HELD = "SELECT id FROM queue WHERE held_by = :name AND {status} = 6"
_IN_ORDER = "ORDER BY priority, id LIMIT :most"
_NOT_PAUSED = "queue NOT IN (SELECT name FROM queues WHERE paused = 1)"
_ALL_HELD = Statement(f"{_HELD} {_IN_ORDER}")
_FIRST_HELD = Statement(
    f"""
    {_HELD} AND {_NOT_PAUSED} AND queue NOT IN (
        SELECT idle.queue FROM queue AS idle WHERE idle.id IN {{ids}} AND {{status}} = 0
    ) {_IN_ORDER}
    """
)
_FREE_HELD = Statement(f"{_FIRST_HELD.text} {{skip_locked}}")
_UNHOLD = Statement(
    """
    UPDATE queue SET status = 0, held_by = NULL, mtime = {now}
    WHERE id IN {ids} AND {status} = 6 AND held_by = :name
    """
)
_HOLDERS = Statement(
    """
    SELECT DISTINCT held_by FROM queue WHERE held_by > :after AND held_by < :before
    ORDER BY held_by LIMIT :most
    """
)
_HOLDERS_AND_SLOTS = Statement(
    f"""
    SELECT held_by, (SELECT COUNT(*) FROM limits WHERE limits.name = held_by)
    FROM ({_HOLDERS.text}) AS holders ORDER BY held_by
    """
)
_FIRST_OF_SLICE = Statement(
    """
    SELECT id, held_by FROM queue WHERE queue = :queue AND status = 6 AND id % :count = :index
    ORDER BY priority, id LIMIT 1
    """
)
_STILL_READY = Statement(
    f"SELECT id, queue FROM queue WHERE id IN {{ids}} AND {{status}} = 0 AND {_NOT_PAUSED}"
)
LAST = "\U0010ffff"
"""No name comes after it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A row of `limits`, and whether the job that has it still runs."""

    name: str
    number: int
    job_id: int | None
    claims: int | None
    taken: bool


def _slot(row: tuple[str, int, int | None, int | None, int | None]) -> Slot:
    return Slot(*row[:4], taken=row[4] is not None)


def slots(connection: Connection, name: str) -> list[Slot]:
    """Those of one limit, as far as they have been made."""
    return [_slot(row) for row in connection.rows(_SLOTS, name=name)]


def slots_between(
    connection: Connection, after: str = "", last: str = LAST
) -> tuple[list[Slot], str]:
    """Those of limits whose names come after the one, up to the other: `SLOTS_MOST` of them, or all
    of one limit. Returns with them the name up to which there are no others."""
    page = connection.rows(_SLOTS_BETWEEN, after=after, last=last, most=SLOTS_MOST)
    found = [_slot(row) for row in page]
    if len(found) < SLOTS_MOST:
        return found, last
    cut = found[-1].name
    whole = [slot for slot in found if slot.name != cut] or slots(connection, cut)
    return whole, whole[-1].name if whole else cut


def take(connection: Connection, name: str, most: int, job: Job) -> int | None:
    """Take one of the slots 0 to `most` - 1 for a claimed job; returns how many are left, or None
    when there was none."""
    while True:
        known = slots(connection, name)
        free = [slot for slot in known if not slot.taken and slot.number < most]
        if any(slot.number >= most and not slot.taken for slot in known):
            remove(connection, name, most)
        missing = set(range(most)) - {slot.number for slot in known}
        # Whoever else looks now sees the same ones.
        random.shuffle(free)
        for slot in free:
            old = {"old_id": slot.job_id, "old_claims": slot.claims}
            place = {"name": name, "slot": slot.number}
            if connection.run(_TAKE, id=job.id, claims=job.claims, **old, **place):
                return len(free) - 1 + len(missing)
        if missing:
            make(connection, name, missing)
        elif not free:
            return None


def make(connection: Connection, name: str, numbers: Iterable[int]) -> None:
    """Make the slots with these numbers, where they are not there yet."""
    with connection.transaction():
        connection.many(_MAKE, [{"name": name, "slot": number} for number in sorted(numbers)])


def free(connection: Connection, name: str, job_id: int, claims: int) -> int:
    """Free the slot that a job has; returns 0 when it has none any more."""
    return connection.run(_FREE, name=name, id=job_id, claims=claims)


def remove(connection: Connection, name: str, most: int = 0) -> int:
    """Remove the free slots from number `most` on: there are fewer of them now, or nobody needs
    any for the time being."""
    return connection.run(_REMOVE, name=name, most=most)


def hold(connection: Connection, worker: str, jobs: list[Job], name: str) -> int:
    """Set claimed jobs aside, un-counted, until `name` has room; returns how many were still
    this worker's."""
    by_claims: dict[int, list[int]] = {}
    for job in jobs:
        by_claims.setdefault(job.claims, []).append(job.id)
    return sum(
        run_around_locks(
            connection, _HOLD, ids, State.RUNNING, worker=worker, claims=claims, name=name
        )
        for claims, ids in by_claims.items()
    )


def unhold(connection: Connection, name: str, most: int, idle: Sequence[int] = ()) -> list[int]:
    """Make the first jobs that `name` holds back ready; returns which it took up.

    Not those of paused queues, nor of queues in which one of the jobs `idle` is still ready.
    Who does the same at the same moment sees the same jobs: what he has made ready does not
    count, or a slot would be left to nobody.
    """
    if most <= 0:
        return []
    which = {"name": name, "ids": list(idle)}
    most = min(most, UNHOLD_MOST)
    ids = [row[0] for row in connection.rows(_FIRST_HELD, most=most, **which)]
    if not ids:
        return []
    try:
        moved = connection.run(_UNHOLD, ids=ids, name=name)
    except StoreBusy:
        if connection.backend.name == "sqlite":
            raise
        moved = 0
    if moved < len(ids):
        with connection.transaction():
            wanted = len(ids) - moved
            others = [row[0] for row in connection.rows(_FREE_HELD, most=wanted, **which)]
            if others:
                connection.run(_UNHOLD, ids=others, name=name)
        ids += others
    return ids


def unhold_one(connection: Connection, name: str, job_id: int) -> bool:
    """Make this one ready, whoever is before it."""
    return bool(run_around_locks(connection, _UNHOLD, [job_id], State.HELD, name=name))


def first_of_slice(connection: Connection, queue: str, mine: Slice) -> tuple[int, str] | None:
    """The first held job of a slice, and what holds it."""
    row = connection.row(_FIRST_OF_SLICE, queue=queue, count=mine.count, index=mine.index)
    return None if row is None else (row[0], str(row[1] or ""))


def unhold_all(connection: Connection, name: str) -> None:
    """What held them back is no more: those of paused queues are made ready, too."""
    moved = UNHOLD_MOST
    while moved:
        page = connection.rows(_ALL_HELD, name=name, most=UNHOLD_MOST)
        ids = [row[0] for row in page]
        moved = run_around_locks(connection, _UNHOLD, ids, State.HELD, name=name) if ids else 0


def still_ready(connection: Connection, ids: list[int]) -> dict[int, str]:
    """Those of `ids` that could be claimed and have not been so far, with their queues."""
    return {row[0]: str(row[1]) for row in connection.rows(_STILL_READY, ids=ids)}


def holders(connection: Connection, after: str = "", before: str = LAST) -> list[str]:
    """What holds jobs back: names of limits and of rates between the two, `HOLDERS_MOST` of them
    at most."""
    page = connection.rows(_HOLDERS, after=after, before=before, most=HOLDERS_MOST)
    return [str(row[0]) for row in page]


def every_holder(connection: Connection) -> Iterator[tuple[str, int]]:
    """All of them, page by page, and how many slots each has."""
    after: str | None = ""
    while after is not None:
        page = connection.rows(_HOLDERS_AND_SLOTS, after=after, before=LAST, most=HOLDERS_MOST)
        found = [(str(name), int(count)) for name, count in page]
        yield from found
        after = found[-1][0] if found else None


def room(connection: Connection, name: str, most: int) -> int:
    """How many more could run."""
    return most - sum(slot.taken for slot in slots(connection, name))
