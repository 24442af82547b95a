"""The ledger of watched keys: what is known of each, and that each expiry becomes a job once.

A key's *generation* is its deadline, in ms of Redis' clock: setting the key again makes another.
`fired` is the deadline of the last generation that became a job and only grows; to fire is to make
it grow by one guarded UPDATE, in one transaction with the job's INSERT.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from qsuper.store.backend import Statement
from qsuper.store.database import Connection

PAGE = 500
"""Rows read or written at once."""
SLIP = 20
"""Milliseconds by which two listeners may read Redis' clock differently."""
EVER = 1 << 62
"""Later than any time in ms."""


class Key(NamedTuple):
    """A Redis key: the number of its database, and its name."""

    db: int
    name: bytes

    @property
    def hash(self) -> bytes:
        """Names are longer than an index holds."""
        return hashlib.sha256(self.name).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """A generation of a key, as it was seen last."""

    key: Key
    deadline: int
    """Unix time in ms."""
    value: bytes | None
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """What the ledger has on a key."""

    entry: Entry
    armed: bool
    fired: int | None


@dataclass(frozen=True, slots=True)
class Shot:
    """An expiry that is to become a job."""

    key: Key
    fired: int
    """The deadline of the generation; where that is not known, the time (ms) at which its end was
    noticed."""
    noticed: int
    """When the listener knew of the end, ms of Redis' clock."""
    heard_after: int | None = None
    """Where the deadline is not known: it ended after this."""


_COLUMNS = "db, name, deadline, value, kind, state, fired"
_DUE = Statement(
    f"""
    SELECT {_COLUMNS} FROM watched_keys
    WHERE state = 0 AND deadline BETWEEN :deadline AND :until
        AND (deadline > :deadline OR db > :db OR (db = :db AND name_hash > :hash))
    ORDER BY deadline, db, name_hash LIMIT {PAGE}
    """
)
_NEXT = Statement(
    f"SELECT {_COLUMNS} FROM watched_keys WHERE state = 0 ORDER BY deadline LIMIT :most"
)
_ARM = Statement(
    """
    INSERT INTO watched_keys (db, name_hash, name, deadline, value, kind)
    VALUES (:db, :hash, :name, :deadline, :value, :kind) {on_same_key}
    """
    + ", ".join(
        f"{column} = CASE WHEN fired IS NULL OR fired < {{new:deadline}} THEN {value}"
        f" ELSE watched_keys.{column} END"
        for column, value in (
            ("state", "0"),
            ("value", "{new:value}"),
            ("kind", "{new:kind}"),
            ("mtime", "{now}"),
            # Last: MySQL assigns from left to right.
            ("deadline", "{new:deadline}"),
        )
    )
)
_DISARM = Statement(
    """
    UPDATE watched_keys SET state = 1, deadline = :now, mtime = {now}
    WHERE db = :db AND name_hash = :hash AND state = 0 AND deadline = :deadline
    """
)
_MEET = Statement(
    """
    INSERT INTO watched_keys (db, name_hash, name, deadline, kind, state)
    VALUES (:db, :hash, :name, :deadline, 'unknown', 1) {on_same_key} db = watched_keys.db
    """
)
# An end that another listener noticed after the time since which this one has heard of all ends
# is the one that this one has heard of. Of its own it has heard once each.
_FIRE = Statement(
    """
    UPDATE watched_keys SET fired = :fired, fired_by = :by, noticed = :noticed, mtime = {now},
        state = CASE WHEN deadline <= :fired THEN 1 ELSE state END
    WHERE db = :db AND name_hash = :hash AND (fired IS NULL OR fired < :fired)
        AND (noticed IS NULL OR noticed < :after OR fired_by = :by)
    """
)
_OLD = Statement(
    f"SELECT db, name_hash FROM watched_keys WHERE state = 1 AND deadline < :before LIMIT {PAGE}"
)
_FORGET = Statement(
    """
    DELETE FROM watched_keys
    WHERE db = :db AND name_hash = :hash AND state = 1 AND deadline < :before
    """
)


@cache
def _read_statement(count: int) -> Statement:
    hashes = ", ".join(f":hash{place}" for place in range(count))
    return Statement(
        f"SELECT {_COLUMNS} FROM watched_keys WHERE db = :db AND name_hash IN ({hashes})"
    )


def read(connection: Connection, keys: Sequence[Key]) -> dict[Key, Row]:
    """What is known of these keys."""
    found: dict[Key, Row] = {}
    for db in {key.db for key in keys}:
        hashes = [key.hash for key in keys if key.db == db]
        for start in range(0, len(hashes), PAGE):
            some = hashes[start : start + PAGE]
            # Few sizes, so that few statements are compiled.
            size = next(size for size in (1, 8, 64, PAGE) if size >= len(some))
            some += some[:1] * (size - len(some))
            bound = {f"hash{place}": hash_ for place, hash_ in enumerate(some)}
            rows = connection.rows(_read_statement(size), db=db, **bound)
            found |= {row.entry.key: row for row in map(_row, rows)}
    return found


@dataclass(slots=True)
class Page:
    """How far a walk over what is due has come: behind this row."""

    deadline: int = -1
    db: int = -1
    hash: bytes = b""


def due(connection: Connection, until: int, page: Page) -> list[Entry]:
    """Armed keys whose deadline is `until` (ms) at the latest, from `page` on, `PAGE` at most."""
    rows = connection.rows(_DUE, until=until, deadline=page.deadline, db=page.db, hash=page.hash)
    entries = [_row(row).entry for row in rows]
    if entries:
        last = entries[-1]
        page.deadline, page.db, page.hash = last.deadline, last.key.db, last.key.hash
    return entries


def next_due(connection: Connection, most: int) -> list[Entry]:
    """The armed keys whose deadline comes next, overdue ones included."""
    return [_row(row).entry for row in connection.rows(_NEXT, most=most)]


def arm(connection: Connection, entries: Sequence[Entry]) -> None:
    """Note what was seen last of these keys; a generation that has fired is not armed again."""
    rows = [
        {
            "db": entry.key.db,
            "hash": entry.key.hash,
            "name": entry.key.name,
            "deadline": entry.deadline,
            "value": entry.value,
            "kind": entry.kind,
        }
        for entry in entries
    ]
    rows.sort(key=lambda row: (row["db"], row["hash"]))
    for start in range(0, len(rows), PAGE):
        connection.many(_ARM, rows[start : start + PAGE])


def disarm(connection: Connection, entry: Entry, now: int) -> None:
    """This generation will not end by itself: the key was deleted, or lives for ever."""
    connection.run(_DISARM, db=entry.key.db, hash=entry.key.hash, deadline=entry.deadline, now=now)


def fire(connection: Connection, shot: Shot, by: str) -> bool:
    """Whether this expiry is ours to make a job of: nobody has, and now nobody else will.

    `by` names the listener and its subscription. Needs a transaction, with the job's INSERT.
    """
    key, after = shot.key, EVER if shot.heard_after is None else shot.heard_after - SLIP
    place = {"db": key.db, "hash": key.hash}
    values = {"fired": shot.fired, "noticed": shot.noticed, "after": after, "by": by}
    if connection.run(_FIRE, **place, **values):
        return True
    # Somebody was quicker, or the key was never armed.
    connection.run(_MEET, **place, name=key.name, deadline=shot.fired)
    return bool(connection.run(_FIRE, **place, **values))


def forget(connection: Connection, before: int) -> int:
    """Delete rows that were fired or disarmed before a Unix time in ms, `PAGE` at most; returns
    how many."""
    old = connection.rows(_OLD, before=before)
    with connection.transaction():
        return sum(connection.run(_FORGET, db=db, hash=hash_, before=before) for db, hash_ in old)


def _row(row: Any) -> Row:
    db, name, deadline, value, kind, state, fired = row
    value = None if value is None else bytes(value)
    return Row(Entry(Key(db, bytes(name)), deadline or 0, value, kind), state == 0, fired)
