"""What becomes of the jobs of a worker that dies: each goes where it belongs, within a second."""

import os
import signal
import statistics
import time
from collections import Counter

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.wait import wait_for

BACKOFF = {"base": 0.2, "cap": 1.0}
REPEATS = 10
PROMISED = 1.0
"""Seconds from the death of a worker to the next run of its job."""


def test_a_killed_workers_job_runs_again_within_a_second(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon.start()
    delays = [seconds_until_it_runs_again(daemon, rows, n) for n in range(1, REPEATS + 1)]
    figures(kills=REPEATS, median_seconds=statistics.median(delays), most=max(delays))
    assert statistics.median(delays) < PROMISED


def seconds_until_it_runs_again(daemon: Daemon, rows: Rows, number: int) -> float:
    """Have a job begin, kill its worker, and see the job to its end."""
    rows.add([(number, "hang_once", {"n": number})])
    worker = daemon.running(number)
    killed = time.monotonic_ns()
    os.kill(worker.pid, signal.SIGKILL)
    daemon.wait_until(lambda: rows.job(number)["status"] == State.DONE, "the job is done")
    assert rows.job(number)["attempt"] == 2
    ((attempt, outcome, error),) = rows.attempts(number)
    assert (attempt, outcome) == (1, "failed")
    assert "killed by SIGKILL" in error
    _, again = daemon.runs(number)
    return (again.began - killed) / 1e9


def test_only_what_had_begun_pays_for_its_workers_death(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    """All jobs have one attempt: one whose code had not begun must never be dead."""
    holders = (1500, 3000, 4500)
    numbers = range(1, 5001)
    daemon.write_config(queues={"default": {"workers": 1}})
    rows.add(
        ((n, "hold_once", {"n": n, "hold": n in holders}) for n in numbers),
        max_attempts=1,
    )
    daemon.start()
    guilty: set[int] = set()
    innocent: Counter[int] = Counter()
    for n in holders:
        # It keeps the interpreter, so that nobody gives back what waits behind it.
        worker = daemon.running(n)
        held = {
            row[0]
            for row in rows.run(
                "SELECT id FROM queue WHERE status = 2 AND worker = :worker", worker=worker.worker
            )
        }
        begun = set(worker.begun)
        assert n in held <= set(worker.ids)
        os.kill(worker.pid, signal.SIGKILL)
        guilty |= begun & held
        innocent.update(held - begun)
    daemon.wait_until(lambda: rows.count(State.DONE, State.DEAD) == len(numbers), "all have ended")
    dead = {row[0] for row in rows.run("SELECT id FROM queue WHERE status = 3")}
    figures(kills=len(holders), held_and_not_begun=len(innocent), begun=len(guilty), dead=len(dead))
    assert dead == guilty
    assert innocent, "no worker held a job that had not begun"
    attempts = {
        row[0]: row[1:] for row in rows.run("SELECT job_id, attempt, outcome, error FROM attempts")
    }
    jobs = rows.run("SELECT id, status, attempt, claims FROM queue")
    for n, status, attempt, claims in jobs:
        assert (attempt, claims) == (1, 1 + innocent[n])
        if n in guilty:
            assert status == State.DEAD
            assert attempts[n][:2] == (1, "dead")
            assert "killed by SIGKILL" in attempts[n][2]
            assert ("outcome not recorded" in attempts[n][2]) == (n not in holders)
        else:
            assert status == State.DONE
            assert n not in attempts


def test_a_job_that_always_kills_its_worker_ends_dead_while_others_finish(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    others = range(2, 1002)
    daemon.write_config(job={"backoff": BACKOFF})
    rows.add([(1, "kill_worker", {"n": 1})], max_attempts=4)
    rows.add((n, "work", {"n": n}) for n in others)
    daemon.start()
    daemon.wait_until(lambda: rows.job(1)["status"] == State.DEAD, "the job is dead")
    daemon.wait_until(lambda: rows.count(State.DONE) == len(others), "the others are done")
    attempts = rows.attempts(1)
    figures(attempts=len(attempts), others_done=rows.count(State.DONE))
    assert [(attempt, outcome) for attempt, outcome, _ in attempts] == [
        (1, "failed"),
        (2, "failed"),
        (3, "failed"),
        (4, "dead"),
    ]
    assert all("killed by SIGKILL" in error for _, _, error in attempts)
    assert len(daemon.runs(1)) == 4


def test_nothing_that_a_job_does_ends_its_worker(daemon: Daemon, rows: Rows) -> None:
    """One worker runs them in this order; each finds it as if nothing had been before."""
    daemon.write_config(queues={"default": {"workers": 1}})
    daemon.start()
    workers = {worker.worker for worker in daemon.workers()}
    big = "x" * 16_000_000
    dead = {
        "raise_an_error": (None, "ValueError: no such recipient: \\udcff\\0"),
        "raise_the_unspeakable": (None, "Unspeakable: (its message cannot be shown)"),
        "leave": (None, "SystemExit: had enough"),
        "interrupt": (None, "KeyboardInterrupt"),
        "work": ('{"n": ', "the param is not JSON"),
        "urgent": ('{"m": 1}', "cannot take this param"),
    }
    done = {
        "fork_and_return": None,
        "close_the_output": None,
        "print_anything": None,
        "take_nothing": None,
        "take_text": {"text": big},
    }
    jobs = [(task, param) for task, (param, _) in dead.items()] + list(done.items())
    numbers = {task: n for n, (task, _) in enumerate(jobs, 1)}
    rows.add(((numbers[task], task, param) for task, param in jobs), max_attempts=1)
    unknown = len(jobs) + 1
    rows.add([(unknown, "unheard_of", "{}")], max_attempts=1)
    ended = (State.DONE, State.DEAD)
    daemon.wait_until(lambda: rows.count(*ended) == len(jobs), "all but the unknown have ended")
    daemon.wait_until(lambda: rows.job(unknown)["status"] == State.SCHEDULED, "it is put off")

    for task in done:
        assert rows.job(numbers[task])["status"] == State.DONE, rows.attempts(numbers[task])
    for task, (_, words) in dead.items():
        ((_, outcome, error),) = rows.attempts(numbers[task])
        assert outcome == "dead"
        assert words in error
    assert (rows.job(unknown)["attempt"], rows.attempts(unknown)) == (0, [])
    assert {worker.worker for worker in daemon.workers()} == workers, "no worker was replaced"
    assert not set(daemon.log()) & {chr(code) for code in (*range(10), *range(11, 32), 127)}


def test_a_param_that_is_too_large_is_refused_where_it_is_added(daemon: Daemon, rows: Rows) -> None:
    added = daemon.cli("add", "take_text", "--param-file", "-", stdin='"' + "x" * 16_000_000 + '"')
    assert added.returncode == 1
    assert "max_param_bytes" in added.stderr
    assert len(added.stderr.splitlines()) == 1
    assert rows.count() == 0


def test_a_job_that_ends_its_process_is_told_as_a_death(daemon: Daemon, rows: Rows) -> None:
    daemon.start()
    rows.add([(1, "die", None)], max_attempts=1)
    daemon.wait_until(lambda: rows.job(1)["status"] == State.DEAD, "the job is dead")
    ((_, _, error),) = rows.attempts(1)
    assert "exited with 3" in error
    wait_for(daemon.is_ready)
