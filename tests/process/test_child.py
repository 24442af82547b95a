"""The states of a place, replayed with a clock of the test's own."""

import math
import signal

import pytest

from qsuper.exits import Exit
from qsuper.master.child import BOOTS_BEFORE_FATAL, FATAL_DELAY, LONGEST_DELAY, SPACING, Child
from qsuper.place import Kind
from qsuper.scoreboard import Record, Scoreboard
from qsuper.states import ChildState
from tests.process.harness import Node

KIND = Kind("worker", lambda place: 0, per_queue=True)
KILLED = int(signal.SIGKILL)


@pytest.fixture
def record(node: Node) -> Record:
    return Scoreboard.create(node.folder / "scoreboard").take()


def child(jitter: float = 0.5) -> Child:
    return Child(KIND, 0.0, queue="default", number=3, jitter=lambda: jitter)


def exit_with(code: int) -> int:
    return code << 8


def crash_at_once(one: Child, record: Record, now: float, *, status: int = KILLED) -> float:
    """Fork and crash; the seconds until the next fork."""
    one.forked(1, record, now)
    one.exited(status, now + 0.1, worked=False)
    return one.retry_at - (now + 0.1)


def test_a_new_place_is_due_and_named_after_its_queue_and_number() -> None:
    one = child()
    assert one.name == "default[3]"
    assert one.due(0.0)
    assert one.state is ChildState.STOPPED


def test_a_child_is_starting_until_it_has_booted(record: Record) -> None:
    one = child()
    one.forked(7, record, 1.0)
    assert (one.state, one.pid, one.due(99.0)) == (ChildState.STARTING, 7, False)
    one.booted(2.0)
    assert (one.state, one.since) == (ChildState.RUNNING, 2.0)


def test_a_crash_after_a_life_long_enough_is_followed_by_a_fork_at_once(record: Record) -> None:
    one = child()
    one.forked(7, record, 0.0)
    one.booted(0.1)
    one.exited(KILLED, 5.0, worked=False)
    assert one.state is ChildState.BACKOFF
    assert one.due(5.0)
    assert one.last_exit == "killed by SIGKILL"


def test_a_crash_after_some_work_is_followed_by_a_fork_at_once_but_not_a_hot_one(
    record: Record,
) -> None:
    one = child()
    one.forked(7, record, 0.0)
    one.exited(KILLED, 0.05, worked=True)
    assert not one.due(0.05)
    assert one.due(SPACING)


def test_the_wait_doubles_with_each_crash_up_to_its_longest(record: Record) -> None:
    one = child()
    waits = [crash_at_once(one, record, 100.0 * turn) for turn in range(12)]
    assert waits[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert waits[-4:] == pytest.approx([LONGEST_DELAY] * 4)


def test_the_wait_is_spread_by_a_quarter_either_way(record: Record) -> None:
    least, most = child(0.0), child(1.0)
    for turn in range(3):
        shortest = crash_at_once(least, record, 100.0 * turn)
        longest = crash_at_once(most, record, 100.0 * turn)
    assert (shortest, longest) == pytest.approx((0.6, 1.0))


def test_ten_thousand_crashes_in_a_row_overflow_nothing(record: Record) -> None:
    one = child()
    for turn in range(10_000):
        wait = crash_at_once(one, record, 100.0 * turn)
    assert wait == pytest.approx(LONGEST_DELAY)


def test_a_long_life_ends_the_row_of_crashes(record: Record) -> None:
    one = child()
    for turn in range(5):
        crash_at_once(one, record, 100.0 * turn)
    one.forked(7, record, 1000.0)
    one.exited(KILLED, 1010.0, worked=False)
    assert crash_at_once(one, record, 2000.0) == pytest.approx(0.2)


def test_a_child_that_cannot_boot_is_fatal_after_three_tries(record: Record) -> None:
    one = child()
    states = []
    for turn in range(BOOTS_BEFORE_FATAL):
        wait = crash_at_once(one, record, 100.0 * turn, status=exit_with(Exit.CANNOT_BOOT))
        states.append(one.state)
    assert states == [ChildState.BACKOFF, ChildState.BACKOFF, ChildState.FATAL]
    assert wait == pytest.approx(FATAL_DELAY)


def test_a_child_that_gives_up_is_fatal_at_once(record: Record) -> None:
    one = child()
    crash_at_once(one, record, 100.0, status=exit_with(Exit.GAVE_UP))
    assert one.state is ChildState.FATAL


def test_a_fatal_child_is_tried_again_at_once_when_somebody_asks(record: Record) -> None:
    one = child()
    for turn in range(BOOTS_BEFORE_FATAL):
        crash_at_once(one, record, 100.0 * turn, status=exit_with(Exit.CANNOT_BOOT))
    one.retry_now(210.0)
    assert one.due(210.0)
    crash_at_once(one, record, 220.0, status=exit_with(Exit.CANNOT_BOOT))
    assert one.state is ChildState.BACKOFF


def test_a_boot_ends_the_row_of_refused_ones(record: Record) -> None:
    one = child()
    for turn in range(10):
        one.forked(7, record, 100.0 * turn)
        if turn % 2:
            one.booted(100.0 * turn + 0.1)
        one.exited(exit_with(Exit.CANNOT_BOOT), 100.0 * turn + 0.2, worked=False)
        assert one.state is ChildState.BACKOFF


@pytest.mark.parametrize("code", [Exit.RECYCLED, Exit.DRAINED])
def test_a_child_that_leaves_by_itself_is_replaced_at_once_and_never_backs_off(
    record: Record, code: Exit
) -> None:
    one = child()
    for turn in range(100):
        one.forked(7, record, float(turn))
        one.exited(exit_with(code), turn + 0.01, worked=False)
        assert one.retry_at - turn == pytest.approx(SPACING)
    assert one.crashes == 0


def test_a_child_that_was_told_to_stop_is_stopped_however_it_ends(record: Record) -> None:
    for status in (0, KILLED, exit_with(Exit.BUG)):
        one = child()
        one.forked(7, record, 0.0)
        one.told_to_stop(1.0)
        states = [one.state]
        one.exited(status, 2.0, worked=False)
        assert [*states, one.state] == [ChildState.STOPPING, ChildState.STOPPED]


def test_a_child_that_runs_once_and_drains_is_finished(record: Record) -> None:
    one = child()
    one.forked(7, record, 0.0)
    one.exited(exit_with(Exit.DRAINED), 1.0, worked=True, once=True)
    assert one.finished
    assert one.retry_at == math.inf


def test_a_host_without_room_for_a_process_is_not_asked_hot(record: Record) -> None:
    one = child()
    one.forked(7, record, 0.0)
    one.exited(KILLED, 50.0, worked=True)
    for turn in range(1, 4):
        one.failed_to_fork("cannot fork", 100.0 * turn)
        assert one.state is ChildState.BACKOFF
    assert one.retry_at - 300.0 == pytest.approx(0.8)
