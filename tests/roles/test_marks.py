"""A cancel mark ends the job that it is meant for, and no other."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from qsuper.job import Cancelled, Done, Failed, Job, Outcome
from qsuper.roles.marks import post_marks
from qsuper.roles.runner import Runner
from qsuper.scoreboard import Record, clock
from qsuper.states import State
from tests.roles.bench import Bench
from tests.wait import wait_for

JOB = Job(1, "sleep", None, 1, None, None, 7)


def sleep() -> None:
    time.sleep(30)


struck = threading.Event()
"""The alarm has rung."""


def wait_until_struck() -> None:
    assert struck.wait(30)


def run(runner: Runner, record: Record, job: Job) -> Outcome:
    record.hold([job.id])
    return runner.run(job, runner.task(job), 0, clock(), quiet=True)[0]


def cancel(record: Record, job: Job) -> None:
    record.cancel_claims, record.cancel = job.claims, job.id


def cancel_once_it_runs(record: Record, job: Job) -> threading.Thread:
    """As the scheduler and the master do."""

    def mark_and_alarm() -> None:
        wait_for(lambda: record.in_flight is not None)
        cancel(record, job)
        os.kill(os.getpid(), signal.SIGALRM)
        struck.set()

    struck.clear()
    thread = threading.Thread(target=mark_and_alarm)
    thread.start()
    return thread


def test_the_posted_mark_follows_the_rows(bench: Bench) -> None:
    place = bench.place()
    record, other = place.record, bench.record()
    first, second, third = bench.add_running(record.worker, 3)
    record.hold([first, second, third])
    record.begin(0, clock())

    def posted(*marked: int) -> tuple[int, int]:
        bench.table.write("UPDATE queue SET cancel = 0")
        bench.table.write("UPDATE queue SET cancel = 1 WHERE id IN {ids}", ids=list(marked))
        post_marks(place, bench.table.connection)
        assert not other.cancel
        return record.cancel, record.cancel_claims

    assert posted() == (0, 0)
    assert posted(third) == (third, 1)
    assert posted(second, third) == (second, 1), "the one whose turn comes next"
    assert posted(first, second, third) == (first, 1)
    record.finish(0)
    assert posted(first, second)[0] == second, "what has returned is over"
    bench.table.write("UPDATE queue SET claims = 9 WHERE id = :id", id=second)
    assert posted(second) == (second, 9)
    bench.table.write("UPDATE queue SET status = 1")
    assert posted(second)[0] == 0


def test_marks_of_other_nodes_are_not_posted_here(bench: Bench) -> None:
    place = bench.place()
    (job_id,) = bench.add_running("elsewhere-1", cancel=1)
    place.record.hold([job_id])
    post_marks(place, bench.table.connection)
    assert not place.record.cancel


def test_a_marked_job_that_runs_is_cut_off_and_one_that_has_not_begun_does_not_begin(
    sqlite_bench: Bench,
) -> None:
    bench = sqlite_bench
    bench.task(sleep)
    record = bench.record()
    runner = bench.runner(record)
    cancel(record, JOB)
    began = clock()
    assert run(runner, record, JOB) == Cancelled()
    record.cancel = 0
    record.cursor = 0
    thread = cancel_once_it_runs(record, JOB)
    assert run(runner, record, JOB) == Cancelled()
    thread.join()
    assert clock() - began < 20


@pytest.mark.parametrize(
    "meant_for",
    [replace(JOB, id=2), replace(JOB, claims=6)],
    ids=["another job", "an earlier claim of it"],
)
def test_a_mark_that_came_too_late_ends_nothing(sqlite_bench: Bench, meant_for: Job) -> None:
    bench = sqlite_bench
    bench.task(wait_until_struck, timeout=60.0)
    record = bench.record()
    runner = bench.runner(record)
    thread = cancel_once_it_runs(record, meant_for)
    assert run(runner, record, replace(JOB, task="wait_until_struck")) == Done()
    thread.join()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def swallow() -> None:
    try:
        time.sleep(30)
    except BaseException as error:
        raise ValueError("no, thanks") from error


def refuse() -> None:
    try:
        time.sleep(30)
    except BaseException:
        return


@pytest.mark.parametrize(("code", "outcome"), [(swallow, Cancelled()), (refuse, Done())])
def test_what_fails_on_account_of_a_cancel_is_cancelled_and_what_is_done_is_done(
    sqlite_bench: Bench, code: Callable[[], None], outcome: Outcome
) -> None:
    bench = sqlite_bench
    bench.task(code)
    record = bench.record()
    runner = bench.runner(record)
    job = replace(JOB, task=code.__name__)
    thread = cancel_once_it_runs(record, job)
    assert run(runner, record, job) == outcome
    thread.join()


def test_what_fails_on_account_of_its_time_out_says_so(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.task(swallow, timeout=0.1)
    record = bench.record()
    outcome = run(bench.runner(record), record, replace(JOB, task="swallow"))
    assert isinstance(outcome, Failed)
    assert outcome.error == "ran longer than its time-out; ValueError: no, thanks"


def test_the_worker_writes_cancelled(bench: Bench) -> None:
    bench.task(sleep)
    (job_id,) = bench.table.add(task="sleep")
    worker = bench.worker()
    thread = cancel_once_it_runs(worker.record, replace(JOB, id=job_id, claims=1))
    worker.tick(clock())
    thread.join()
    assert bench.table.state(job_id) == State.CANCELLED
    assert bench.table.read("SELECT outcome FROM attempts") == [("cancelled",)]
