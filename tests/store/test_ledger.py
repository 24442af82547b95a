"""The ledger of watched keys: each generation of a key fires once, whoever fires it."""

import random
import threading
from collections import Counter
from collections.abc import Iterable, Sequence

import pytest

from qsuper.store import ledger
from qsuper.store.backend import StoreBusy
from qsuper.store.database import Connection
from qsuper.store.ledger import PAGE, SLIP, Entry, Key, Page, Shot
from tests.store.table import Table

NOW = 1_800_000_000_000
KEY = Key(15, b"SN1:1")
ANY_BYTES = bytes(range(256))
CROWD = 500
SOMEBODY, ANOTHER = "node-1/1", "node-2/1"


def keys(count: int, db: int = 0) -> list[Key]:
    return [Key(db, b"SN%d:1" % number) for number in range(count)]


def arm(table: Table, key: Key = KEY, deadline: int = NOW, value: bytes | None = b"unpaid") -> None:
    ledger.arm(table.connection, [Entry(key, deadline, value, "string")])


def arm_all(table: Table, some: Iterable[Key], deadline: int = NOW) -> None:
    ledger.arm(table.connection, [Entry(key, deadline, b"x", "string") for key in some])


def fire(
    table: Table,
    fired: int = NOW,
    by: str = SOMEBODY,
    *,
    after: int | None = None,
    noticed: int | None = None,
    key: Key = KEY,
) -> bool:
    """With `after`, the deadline is not known: it ended after that, and before `fired`."""
    with table.connection.transaction():
        return ledger.fire(table.connection, Shot(key, fired, noticed or fired, after), by)


def row(table: Table, key: Key = KEY) -> ledger.Row:
    return ledger.read(table.connection, [key])[key]


def armed(table: Table) -> list[tuple[Key, int]]:
    """All that is armed, in order, page by page."""
    page, found = Page(), list[Entry]()
    while entries := ledger.due(table.connection, 10 * NOW, page):
        found += entries
    return [(entry.key, entry.deadline) for entry in found]


def test_a_key_that_is_armed_is_read_as_it_was_seen(table: Table) -> None:
    arm(table)
    assert row(table) == ledger.Row(Entry(KEY, NOW, b"unpaid", "string"), True, None)
    assert ledger.read(table.connection, [Key(14, KEY.name), Key(15, b"sn1:1")]) == {}


def test_what_was_seen_last_counts(table: Table) -> None:
    arm(table)
    arm(table, deadline=NOW + 5000, value=b"new")
    arm(table, deadline=NOW - 5000, value=None)
    assert row(table).entry == Entry(KEY, NOW - 5000, None, "string")


@pytest.mark.parametrize("count", [0, 1, 2, 8, 9, 64, 65, PAGE, PAGE + 1])
def test_so_many_keys_are_read_at_once(count: int, table: Table) -> None:
    some = keys(count // 2) + keys(count - count // 2, db=3)
    arm_all(table, some)
    assert set(ledger.read(table.connection, [*some, Key(9, b"unknown")])) == set(some)


def test_a_generation_fires_once(table: Table) -> None:
    arm(table)
    assert fire(table)
    assert row(table) == ledger.Row(Entry(KEY, NOW, b"unpaid", "string"), False, NOW)
    assert not fire(table)
    assert not fire(table, by=ANOTHER)
    assert armed(table) == []


def test_a_generation_that_has_fired_is_not_armed_again(table: Table) -> None:
    arm(table)
    assert fire(table)
    arm(table)
    arm(table, deadline=NOW - 1)
    assert not row(table).armed
    assert row(table).fired == NOW
    arm(table, deadline=NOW + 1)
    assert row(table).armed
    assert fire(table, NOW + 1, ANOTHER)


def test_firing_the_last_generation_leaves_the_next_one_armed(table: Table) -> None:
    arm(table)
    arm(table, deadline=NOW + 5000, value=b"new")
    assert fire(table)
    assert row(table) == ledger.Row(Entry(KEY, NOW + 5000, b"new", "string"), True, NOW)
    assert fire(table, NOW + 5000)


def test_a_key_that_was_never_armed_fires_too(table: Table) -> None:
    assert fire(table, after=NOW - 20)
    assert row(table).entry.kind == "unknown"
    assert not row(table).armed
    assert not fire(table, NOW + 10, ANOTHER, after=NOW - 30)


def test_two_listeners_that_do_not_know_the_deadline_mean_one_expiry(table: Table) -> None:
    """However long the slower one takes: it knows since when it had not listened."""
    assert fire(table, after=NOW - 20)
    assert not fire(table, NOW + 60_000, ANOTHER, after=NOW - 10)
    assert not fire(table, NOW + 60_000, ANOTHER, after=NOW + SLIP)
    assert not fire(table, NOW - 10, ANOTHER, after=NOW - 60_000)
    assert fire(table, NOW + 60_000, ANOTHER, after=NOW + SLIP + 1)


def test_one_that_knows_the_deadline_and_one_that_does_not_mean_one_expiry(table: Table) -> None:
    arm(table)
    assert fire(table)
    assert not fire(table, NOW + 20, ANOTHER, after=NOW - 10)
    arm(table, deadline=NOW + 60_000)
    assert fire(table, NOW + 60_020, ANOTHER, after=NOW + 59_000)
    assert not fire(table, NOW + 60_000)


def test_an_end_that_was_noticed_long_after_the_deadline_is_one_expiry(table: Table) -> None:
    """Redis finds late what has expired, unless somebody asks: the other heard of it only then."""
    arm(table)
    assert fire(table, noticed=NOW + 60_000)
    assert not fire(table, NOW + 60_001, ANOTHER, after=NOW + 59_000)
    assert fire(table, NOW + 70_000, ANOTHER, after=NOW + 60_000 + SLIP + 1)


def test_what_one_listener_says_twice_in_one_session_are_two_expiries(table: Table) -> None:
    assert fire(table, NOW, after=NOW - 10)
    assert fire(table, NOW + 1, after=NOW - 10)


def test_what_is_said_again_because_nobody_knew_whether_it_was_written_is_said_once(
    table: Table,
) -> None:
    """Two ends of one key in one batch, the first with its deadline."""
    arm(table)
    for first in (True, False):
        assert fire(table) is first
        assert fire(table, NOW + 7, after=NOW - 10) is first


def test_a_key_that_is_taken_back_is_armed_no_more(table: Table) -> None:
    arm(table)
    ledger.disarm(table.connection, Entry(KEY, NOW, None, "string"), NOW - 500)
    assert armed(table) == []
    arm(table)
    assert armed(table) == [(KEY, NOW)]


def test_another_generation_than_the_one_that_was_taken_back_stays_armed(table: Table) -> None:
    arm(table, deadline=NOW + 1)
    ledger.disarm(table.connection, Entry(KEY, NOW, None, "string"), NOW - 500)
    assert armed(table) == [(KEY, NOW + 1)]


def test_what_is_due_is_read_page_by_page_and_in_order(table: Table) -> None:
    some = keys(PAGE + 7) + keys(PAGE, db=2)
    arm_all(table, some)
    arm_all(table, keys(3, db=4), NOW - 1000)
    arm_all(table, keys(3, db=5), NOW + 1000)
    page, sizes, found = Page(), list[int](), list[Key]()
    while entries := ledger.due(table.connection, NOW, page):
        sizes.append(len(entries))
        found += [entry.key for entry in entries]
    assert sizes == [PAGE, PAGE, 10]
    assert set(found[:3]) == set(keys(3, db=4))
    assert len(found) == len(set(found))
    assert set(found[3:]) == set(some)


def test_names_and_values_of_any_bytes_and_of_the_longest(table: Table) -> None:
    entries = [
        Entry(Key(0, ANY_BYTES), NOW, ANY_BYTES, "string"),
        Entry(Key(0, ANY_BYTES * 32), NOW, ANY_BYTES * 256, "string"),
        Entry(Key(0, b""), NOW, b"", "string"),
        Entry(Key(0, b"%s\\'\""), NOW, b"%(x)s:y\\'\0", "string"),
        Entry(Key(0, b"\xff"), NOW, None, "string of 104857600 bytes"),
        Entry(Key(1_000_000, b"\xff "), NOW, None, "x" * 64),
    ]
    ledger.arm(table.connection, entries)
    found = ledger.read(table.connection, [entry.key for entry in entries])
    assert [found[entry.key].entry for entry in entries] == entries
    for entry in entries:
        assert fire(table, key=entry.key)
    assert armed(table) == []


def test_many_long_values_are_written_and_read_at_once(table: Table) -> None:
    some = keys(PAGE + 1)
    ledger.arm(table.connection, [Entry(key, NOW, ANY_BYTES * 256, "string") for key in some])
    found = ledger.read(table.connection, some)
    assert {row.entry.value for row in found.values()} == {ANY_BYTES * 256}


def test_rows_that_are_over_are_forgotten_those_that_are_armed_are_not(table: Table) -> None:
    fired, off, alive, young = keys(4)
    arm_all(table, [fired, off, alive])
    arm_all(table, [young], NOW + 500)
    for key, deadline in ((fired, NOW), (young, NOW + 500)):
        assert fire(table, deadline, key=key)
    ledger.disarm(table.connection, Entry(off, NOW, None, "string"), NOW)
    assert ledger.forget(table.connection, NOW) == 0
    assert ledger.forget(table.connection, NOW + 1) == 2
    assert set(ledger.read(table.connection, [fired, off, alive, young])) == {alive, young}
    assert ledger.forget(table.connection, NOW + 1) == 0


def test_many_rows_are_forgotten_page_by_page(table: Table) -> None:
    arm_all(table, keys(PAGE + 3))
    table.write("UPDATE watched_keys SET state = 1")
    assert ledger.forget(table.connection, NOW + 1) == PAGE
    assert ledger.forget(table.connection, NOW + 1) == 3


def test_a_transaction_that_is_undone_has_not_fired(table: Table) -> None:
    arm(table)
    with pytest.raises(KeyError):
        fire_and_fail(table)
    assert row(table).armed
    assert fire(table, by=ANOTHER)


def fire_and_fail(table: Table) -> None:
    with table.connection.transaction():
        assert ledger.fire(table.connection, Shot(KEY, NOW, NOW), SOMEBODY)
        raise KeyError


@pytest.mark.parametrize("known", [True, False], ids=["armed", "never armed"])
def test_two_listeners_that_fire_the_same_keys_at_once_fire_each_once(
    known: bool, table: Table
) -> None:
    some = keys(CROWD)
    if known:
        arm_all(table, some)
    counts: Counter[Key] = Counter()
    busy: list[StoreBusy] = []
    errors: list[BaseException] = []
    connections = [table.connect() for _ in range(2)]
    begin = threading.Barrier(2)

    def listen(number: int) -> None:
        shots = [
            Shot(key, NOW, NOW) if known else Shot(key, NOW + number, NOW + number, NOW - 10)
            for key in some
        ]
        random.Random(number).shuffle(shots)
        try:
            begin.wait(30)
            for start in range(0, CROWD, 20):
                counts.update(fired_by(connections[number], shots[start : start + 20], number))
        except BaseException as error:
            errors.append(error)

    def fired_by(connection: Connection, shots: Sequence[Shot], number: int) -> list[Key]:
        while True:
            try:
                with connection.transaction():
                    by = f"listener {number}"
                    return [one.key for one in shots if ledger.fire(connection, one, by)]
            except StoreBusy as error:
                busy.append(error)

    threads = [threading.Thread(target=listen, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    print(f"tried again {len(busy)} times")
    assert not errors
    assert counts == dict.fromkeys(some, 1)
