"""The checkers of crowds find what is wrong, and only that."""

from tests.acceptance.crowd import (
    longest_below,
    most_at_once,
    most_starts_within,
    starts_a_second,
)
from tests.acceptance.journal import BEGIN, END, Death, Event

SECOND = 1_000_000_000


def run(number: int, began: float, ended: float | None) -> list[Event]:
    """A run by a process of its own."""
    events = [Event(BEGIN, number, number, int(began * SECOND))]
    if ended is not None:
        events.append(Event(END, number, number, int(ended * SECOND)))
    return events


def test_what_ends_makes_room_for_what_begins_at_that_moment() -> None:
    assert most_at_once([*run(1, 0, 2), *run(2, 2, 3)]) == 1
    assert most_at_once([*run(1, 0, 2.1), *run(2, 2, 3)]) == 2
    assert most_at_once([]) == 0


def test_a_killed_run_lasts_until_its_process_is_killed() -> None:
    events = [*run(1, 0, None), *run(2, 2, 3)]
    assert most_at_once(events, [Death(1, int(1.5 * SECOND))]) == 1
    assert most_at_once(events, [Death(1, int(2.5 * SECOND))]) == 2


def test_the_longest_time_below_the_limit_counts_while_there_is_work() -> None:
    events = [*run(1, 0, 4), *run(2, 1, 2), *run(3, 3.5, 4), *run(4, 6, 9)]
    assert longest_below(2, 4, events) == 1.5
    assert longest_below(2, 5, events) == 5.0
    assert longest_below(1, 4, events) == 2.0


def test_starts_are_counted_in_any_second() -> None:
    events = [event for n in range(5) for event in run(n, n * 0.5, n * 0.5)]
    assert most_starts_within(1.0, events) == 3
    assert most_starts_within(0.4, events) == 1
    assert starts_a_second(events) == 2.0
