"""The checkers can fail: each finds what it is for in a journal that holds it."""

import os
import signal
from pathlib import Path

from tests.acceptance import journal
from tests.acceptance.journal import Death, Event, Journal, Move, runs_of
from tests.wait import wait_for


def test_what_a_job_writes_is_read_back(tmp_path: Path) -> None:
    writer = Journal(tmp_path / "journal")
    with writer.run(7):
        pass
    (run,) = runs_of(journal.read(tmp_path / "journal"))
    assert (run.number, run.pid, run.succeeded) == (7, os.getpid(), True)
    assert run.ended is not None
    assert run.ended >= run.began


def test_a_job_without_a_whole_run_is_lost() -> None:
    events = [Event("B", 1, 10, 0), Event("E", 1, 10, 5), Event("B", 2, 10, 6)]
    assert journal.lost([1, 2, 3], runs_of(events)) == {2, 3}


def test_a_job_whose_every_run_failed_is_lost() -> None:
    events = [Event("B", 1, 10, 0), Event("F", 1, 10, 5)]
    assert journal.lost([1], runs_of(events)) == {1}


def test_two_runs_at_one_moment_overlap() -> None:
    first = [Event("B", 1, 10, 0), Event("E", 1, 10, 5)]
    assert journal.overlapping([*first, Event("B", 1, 11, 4), Event("E", 1, 11, 9)]) == [1]
    assert journal.overlapping([*first, Event("B", 1, 11, 6), Event("E", 1, 11, 9)]) == []


def test_a_killed_run_lasts_until_the_kill() -> None:
    events = [Event("B", 1, 10, 0), Event("B", 1, 11, 50), Event("E", 1, 11, 60)]
    assert journal.overlapping(events, [Death(10, 70)]) == [1]
    assert journal.overlapping(events, [Death(10, 40)]) == []


def test_a_process_that_still_holds_a_job_is_noticed_by_the_second_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    holder = os.fork()
    if holder == 0:
        with Journal(path).run(1):
            signal.pause()
    try:
        wait_for(lambda: len(journal.read(path)) == 1)
        with Journal(path).run(1):
            pass
        assert journal.overlapping(journal.read(path)) == [1]
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
    with Journal(path).run(1):
        pass
    kinds = [event.kind for event in journal.read(path)]
    assert kinds == ["B", "X", "B", "E", "B", "E"], "the dead hold nothing"


def test_a_done_job_that_moves_again_is_noticed() -> None:
    moves = [Move(1, 0, 2, "a", 1, 1), Move(1, 2, 1, "a", 1, 1)]
    runs = runs_of([Event("B", 1, 10, 0), Event("E", 1, 10, 5)])
    assert journal.again_after_ack(moves, runs) == set()
    assert journal.again_after_ack([*moves, Move(1, 1, 2, "b", 2, 2)], runs) == {1}


def test_a_job_that_runs_without_a_claim_is_noticed() -> None:
    moves = [Move(1, 0, 2, "a", 1, 1), Move(1, 2, 1, "a", 1, 1)]
    twice = [Event("B", 1, 10, 0), Event("E", 1, 10, 5), Event("B", 1, 10, 6)]
    assert journal.again_after_ack(moves, runs_of(twice)) == {1}


def test_kills_count_as_in_flight_when_they_cut_a_run_short() -> None:
    events = [Event("B", 1, 10, 0), Event("B", 2, 11, 1), Event("E", 2, 11, 2)]
    deaths = [Death(10, 5), Death(11, 5), Death(12, 5)]
    assert journal.cut_short(deaths, runs_of(events)) == 1
