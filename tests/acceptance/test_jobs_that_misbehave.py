"""Jobs that fork, await, or take the worker's alarm: one worker runs them all and lives on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.rows import Rows

ENDED = (State.DONE, State.DEAD, State.SCHEDULED)


@pytest.fixture
def sqlite_daemon(folder: Path) -> Iterator[Daemon]:
    """One worker over a SQLite file, with the application that misbehaves."""
    url = f"sqlite:///{folder}/qsuper.db"
    daemon = Daemon(folder, url)
    daemon.write_config(
        app="tests.acceptance.misbehaving_app:queue", queues={"default": {"workers": 1}}
    )
    yield daemon
    daemon.clean_up()


@pytest.fixture
def table(sqlite_daemon: Daemon) -> Rows:
    return Rows(sqlite_daemon.url)


def end_all(daemon: Daemon, rows: Rows, *tasks: str, **columns: float) -> list[State]:
    """Run one job of each task, in this order, in the same worker; how each has ended."""
    daemon.start()
    (worker,) = daemon.workers()
    name = worker.worker
    numbers = range(1, len(tasks) + 1)
    jobs = [(n, task, {"n": n}) for n, task in zip(numbers, tasks, strict=True)]
    rows.add(jobs, max_attempts=1, **columns)
    daemon.wait_until(lambda: rows.count(*ENDED) == len(tasks), "all have ended", timeout=60)
    assert [worker.worker for worker in daemon.workers()] == [name], "the worker lives on"
    assert [len(daemon.runs(n)) for n in numbers] == [1] * len(tasks)
    return [State(rows.job(n)["status"]) for n in numbers]


def test_what_a_job_forks_dies_of_the_signals_that_others_die_of(
    sqlite_daemon: Daemon, table: Rows
) -> None:
    """The worker's own handlers would make `terminate` nothing but a note, and `join` endless."""
    tasks = ["terminate_a_child", "terminate_a_newborn_child", "use_a_pool", "work"]
    assert end_all(sqlite_daemon, table, *tasks) == [State.DONE] * len(tasks)
    sqlite_daemon.wait_until(sqlite_daemon.idle, "the worker is idle")


def test_a_coroutine_function_is_awaited(sqlite_daemon: Daemon, table: Rows) -> None:
    ends = end_all(sqlite_daemon, table, "pause", "pause_and_fail")
    assert ends == [State.DONE, State.DEAD]
    assert [run.ended is not None for run in sqlite_daemon.runs(1)] == [True]
    ((_, _, error),) = table.attempts(2)
    assert error == "ValueError: awaited and refused"


def test_a_job_that_takes_the_alarm_does_not_make_the_next_one_endless(
    sqlite_daemon: Daemon, table: Rows
) -> None:
    ends = end_all(sqlite_daemon, table, "take_the_alarm", "hang", "work", timeout=1.0)
    assert ends == [State.DONE, State.DEAD, State.DONE]
    ((_, _, error),) = table.attempts(2)
    assert error == "ran longer than its time-out"


def test_jobs_that_leave_orphans_are_done(sqlite_daemon: Daemon, table: Rows) -> None:
    assert end_all(sqlite_daemon, table, *["leave_an_orphan"] * 5) == [State.DONE] * 5
