"""When keys are looked at, what of them is put off, and in which order they are heard."""

from qsuper.redis.keyspace import Seen
from qsuper.redis.subscription import Event
from qsuper.roles.listener.calendar import AGAIN_AFTER, TOUCH_AFTER, Calendar
from qsuper.roles.listener.inbox import Inbox
from qsuper.roles.listener.plan import Case
from qsuper.roles.listener.postponed import EVERY, Postponed
from qsuper.store.ledger import Entry, Key, Row

NOW = 1_000_000
ONE, TWO = Key(0, b"one"), Key(15, b"two")


def test_a_key_is_looked_at_a_moment_after_its_deadline_not_before() -> None:
    calendar = Calendar()
    calendar.put(ONE, NOW + 10, NOW)
    assert calendar.next() == NOW + 10 + TOUCH_AFTER
    assert calendar.take(NOW + 10 + TOUCH_AFTER - 1, 10) == []
    assert calendar.take(NOW + 10 + TOUCH_AFTER, 10) == [ONE]
    assert calendar.of(ONE) == NOW + 10
    assert calendar.next() is None


def test_a_key_that_is_still_there_after_its_deadline_is_looked_at_again() -> None:
    calendar = Calendar()
    calendar.put(ONE, NOW - 5, NOW)
    assert calendar.take(NOW, 10) == []
    assert calendar.take(NOW + AGAIN_AFTER, 10) == [ONE]
    calendar.put(ONE, NOW - 5, NOW + AGAIN_AFTER)
    assert calendar.take(NOW + 2 * AGAIN_AFTER, 10) == [ONE]


def test_those_that_are_due_first_come_first_and_no_more_than_are_wanted() -> None:
    calendar = Calendar()
    keys = [Key(0, b"%d" % number) for number in range(10)]
    for number, key in enumerate(keys):
        calendar.put(key, NOW - number + 20, NOW)
    assert calendar.take(NOW + 100, 3) == keys[:-4:-1]
    assert len(calendar.take(NOW + 100, 100)) == 7


def test_a_key_that_is_put_twice_is_taken_once() -> None:
    calendar = Calendar()
    calendar.put(ONE, NOW + 10, NOW)
    calendar.put(ONE, NOW + 10, NOW)
    calendar.put(ONE, NOW + 5, NOW)
    assert len(calendar) == 1
    assert calendar.of(ONE) == NOW + 5
    assert calendar.take(NOW + 100, 10) == [ONE]


def test_a_key_that_is_dropped_is_not_looked_at() -> None:
    calendar = Calendar()
    calendar.put(ONE, NOW + 10, NOW)
    calendar.put(TWO, NOW + 10, NOW)
    calendar.drop(ONE)
    calendar.drop(ONE)
    assert calendar.take(NOW + 100, 10) == [TWO]
    assert calendar.of(ONE) is None


def entry(deadline: int) -> Entry:
    return Entry(ONE, deadline, b"x", "string")


def case(armed: int | None, events: tuple[bytes, ...] = (b"expire",)) -> Case:
    row = None if armed is None else Row(entry(armed), True, None)
    return Case(ONE, events, row, look=Seen(NOW, b"x"))


def test_a_first_arming_and_an_earlier_deadline_are_never_put_off() -> None:
    postponed = Postponed()
    assert postponed.may_write(case(None), entry(NOW), 0.0)
    assert postponed.may_write(case(None), entry(NOW), 0.0)
    assert postponed.may_write(case(NOW), entry(NOW - 1), 0.0)


def test_the_next_generation_is_not_put_off_because_the_last_one_was_written_just_now() -> None:
    postponed = Postponed()
    assert postponed.may_write(case(None), entry(NOW), 0.0)
    assert postponed.may_write(case(NOW, (b"expired", b"set")), entry(NOW + 500), 0.1)


def test_later_deadlines_are_written_once_a_second() -> None:
    postponed = Postponed()
    assert postponed.take_due(0.0) == []
    assert postponed.may_write(case(NOW), entry(NOW + 1), 0.0)
    for step in range(2, 10):
        assert not postponed.may_write(case(NOW + 1), entry(NOW + step), 0.1 * step)
        postponed.put(entry(NOW + step))
        assert postponed.of(ONE) == entry(NOW + step)
    assert postponed.take_due(EVERY / 2) == []
    assert 0 < postponed.rest(EVERY / 2) <= EVERY
    assert postponed.take_due(EVERY) == [entry(NOW + 9)]
    assert postponed.of(ONE) is None
    assert postponed.take_due(2 * EVERY) == []
    assert postponed.may_write(case(NOW + 9), entry(NOW + 10), 2 * EVERY), "long ago"


def test_what_is_known_better_is_not_written_any_more() -> None:
    postponed = Postponed()
    postponed.put(entry(NOW))
    postponed.drop(ONE)
    assert postponed.take_all() == []


def event(key: Key, what: bytes) -> Event:
    return Event(key.db, key.name, what)


def test_the_events_of_a_key_are_handed_out_in_order_and_once() -> None:
    inbox = Inbox()
    inbox.put([event(ONE, b"set"), event(TWO, b"set"), event(ONE, b"expire")], NOW)
    assert len(inbox) == 2
    assert inbox.after(ONE) == NOW
    assert inbox.of(ONE) == [b"set", b"expire"]
    assert inbox.take(ONE, 1) == [b"set"]
    assert inbox.after(ONE) == NOW
    assert inbox.take(ONE, 5) == [b"expire"]
    assert inbox.after(ONE) is None
    assert inbox.take(ONE, 5) == inbox.of(ONE) == []
    assert list(inbox) == [TWO]


def test_keys_of_two_databases_are_two() -> None:
    inbox = Inbox()
    inbox.put([event(Key(0, b"one"), b"set"), event(Key(1, b"one"), b"del")], NOW)
    assert len(inbox) == 2


def test_a_key_that_has_expired_comes_before_those_that_were_set_long_before() -> None:
    inbox = Inbox()
    others = [Key(0, b"%d" % number) for number in range(100)]
    inbox.put([event(key, b"set") for key in others], NOW)
    inbox.put([event(ONE, b"set"), event(ONE, b"expired"), event(TWO, b"set")], NOW)
    assert list(inbox) == [ONE, *others, TWO]
