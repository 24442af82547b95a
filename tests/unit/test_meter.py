"""The meters of the scoreboard, and the totals that a picture makes of them."""

from pathlib import Path

import pytest

from qsuper.picture.totals import Histogram, runs, waits
from qsuper.scoreboard import OTHERS, OUTCOMES, TIMERS, Meter, Scoreboard
from qsuper.scoreboard.meter import TASKS_MOST

DONE, DEAD = OUTCOMES.index("done"), OUTCOMES.index("dead")
PUT_OFF = OUTCOMES.index("put off")


@pytest.fixture
def board(tmp_path: Path) -> Scoreboard:
    board = Scoreboard.create(tmp_path / "scoreboard")
    board.header.queues = 2
    return board


def meter(board: Scoreboard, queue: int, role: str = "worker") -> tuple[int, Meter]:
    record = board.take()
    record.queue, record.role = queue, role
    return record.slot, board.meter(record.slot)


def test_attempts_are_counted_by_task_outcome_and_queue(board: Scoreboard) -> None:
    _, first = meter(board, 0)
    _, second = meter(board, 1)
    first.ended("mail", DONE, 0.02, 0.3)
    first.ended("mail", DEAD, 0.2, 0.0)
    second.ended("mail", DONE, 0.02, 7.0)
    counts = board.counts()
    assert counts[0].tasks["mail"].outcomes[DONE] == counts[0].tasks["mail"].outcomes[DEAD] == 1
    assert sum(counts[0].waits.counts) == 2
    assert waits(counts[1].waits).seconds == 7.0
    assert runs(counts[0].tasks["mail"].runs).seconds == pytest.approx(0.22)


def test_what_has_not_run_has_no_duration_and_no_wait(board: Scoreboard) -> None:
    _, worker = meter(board, 0)
    worker.ended("unknown", PUT_OFF, 0.0, 0.0)
    reading = board.counts()[0]
    assert reading.tasks["unknown"].outcomes[PUT_OFF] == 1
    assert sum(reading.waits.counts) == sum(reading.tasks["unknown"].runs.counts) == 0


def test_nothing_is_lost_or_counted_twice_when_a_record_is_given_to_another(
    board: Scoreboard,
) -> None:
    for turn in range(1, 6):
        slot, worker = meter(board, turn % 2)
        worker.ended("mail", DONE, 0.1, 0.1)
        worker.count("fired", 3)
        board.record(slot).helps = 2
        board.record(slot).used = 0
        counts = board.counts().values()
        assert sum(one.tasks["mail"].outcomes[DONE] for one in counts if one.tasks) == turn
        assert sum(one.counters["helps"] for one in counts) == 2 * turn
        assert sum(one.counters["fired"] for one in counts) == 3 * turn


def test_children_of_no_queue_are_counted_apart(board: Scoreboard) -> None:
    slot, scheduler = meter(board, -1, "scheduler")
    scheduler.late(0.004, 10)
    board.record(slot).used = 0
    meter(board, 0)
    counts = board.counts()
    assert counts[TIMERS].waits.counts[0] == 10
    assert not any(counts[0].waits.counts)


def test_more_tasks_than_there_is_room_for_are_counted_together(board: Scoreboard) -> None:
    _, worker = meter(board, 0)
    for number in range(TASKS_MOST + 10):
        worker.ended(f"task {number}", DONE, 0.1, 0.1)
    tasks = board.counts()[0].tasks
    assert len(tasks) == TASKS_MOST
    assert sum(task.outcomes[DONE] for task in tasks.values()) == TASKS_MOST + 10
    assert tasks[OTHERS].outcomes[DONE] == 11


@pytest.mark.parametrize("name", ["a" * 190, "ü" * 190, "\0", ""])
def test_a_task_of_any_name_has_one_place(board: Scoreboard, name: str) -> None:
    slot, worker = meter(board, 0)
    worker.ended(name, DONE, 0.1, 0.1)
    board.meter(slot).ended(name, DONE, 0.1, 0.1)
    (task,) = board.counts()[0].tasks.values()
    assert task.outcomes[DONE] == 2


def test_a_new_master_begins_at_zero(board: Scoreboard) -> None:
    for _ in range(2):
        slot, worker = meter(board, 0)
        worker.ended("mail", DONE, 0.1, 0.1)
        board.record(slot).helps = 1
        board.record(slot).used = 0
    board.forget_counts()
    reading = board.counts()[0]
    assert not reading.tasks
    assert not any(reading.counters.values())
    assert not any(reading.waits.counts)


def test_a_percentile_lies_in_the_bucket_of_its_rank() -> None:
    spread = Histogram((1.0, 2.0, 4.0), (10, 0, 10, 0), 40.0)
    assert spread.percentile(0.5) == pytest.approx(1.0)
    assert spread.percentile(0.75) == pytest.approx(3.0)
    assert spread.percentile(1.0) == pytest.approx(4.0)
    assert Histogram((1.0,), (0, 3), 9.0).percentile(0.5) == 1.0
    assert Histogram((1.0,), (0, 0), 0.0).percentile(0.5) is None


def test_a_task_that_was_counted_apart_stays_so_when_its_process_has_ended(
    board: Scoreboard,
) -> None:
    for first in (0, 20):
        slot, worker = meter(board, 0)
        for number in range(first, first + 25):
            worker.ended(f"task {number}", DONE, 0.1, 0.1)
        board.record(slot).used = 0
    before = {name: task.outcomes[DONE] for name, task in board.counts()[0].tasks.items()}
    meter(board, 0)
    after = {name: task.outcomes[DONE] for name, task in board.counts()[0].tasks.items()}
    assert before == after
    assert OTHERS not in after
