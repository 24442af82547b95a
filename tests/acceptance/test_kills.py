"""Workers are killed at random moments: nothing is lost, nothing overlaps, done stays done."""

import os
import random
import signal
import time

from qsuper.scoreboard import Record
from tests.acceptance import journal
from tests.acceptance.daemon import Daemon, alive
from tests.acceptance.figures import Figures
from tests.acceptance.journal import Death, runs_of
from tests.acceptance.rows import Rows
from tests.wait import wait_for

JOBS = 20_000
KILLS = 100
BACKOFF = {"base": 0.2, "cap": 1.0}


def some_seconds(rng: random.Random) -> float:
    """Most jobs take 1 to 4 ms, one in thirty 20 to 50."""
    return rng.uniform(0.02, 0.05) if rng.random() < 1 / 30 else rng.uniform(0.001, 0.004)


def wait_for_lines(daemon: Daemon, count: int) -> None:
    daemon.wait_until(lambda: daemon.written() >= count, f"the journal has {count} lines")


def kill_a_worker(
    daemon: Daemon, rng: random.Random, *, in_a_job: bool, written: bool = False
) -> Death:
    """SIGKILL one at random, or one at random of those in the midst of a job; `written`: which has
    said so in the journal."""

    def living() -> list[Record]:
        # The master may have reaped one and not have said so yet.
        found = daemon.in_jobs() if in_a_job else daemon.workers()
        if in_a_job and written:
            inside = daemon.inside()
            found = [one for one in found if one.pid in inside]
        return [one for one in found if alive(one.pid, one.ticks)]

    worker = rng.choice(wait_for(living))
    pid, ticks = worker.pid, worker.ticks
    death = Death(pid, time.monotonic_ns())
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid, ticks))
    return death


def test_a_hundred_killed_workers_lose_nothing(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    rng = random.Random(20261120)
    daemon.write_config(job={"backoff": BACKOFF}, log={"level": "warning"})
    numbers = range(1, JOBS + 1)
    rows.add((n, "work", {"n": n, "seconds": round(some_seconds(rng), 4)}) for n in numbers)
    started = time.monotonic()
    daemon.start()
    deaths: list[Death] = []
    for kill in range(KILLS):
        due = int(2 * JOBS * 0.95 * (kill + rng.random()) / KILLS)
        wait_for_lines(daemon, due)
        # One in four hits whatever it hits: a claim, an ack, a worker that boots.
        deaths.append(kill_a_worker(daemon, rng, in_a_job=kill % 4 != 0))
    daemon.wait_until(lambda: rows.count(1) == JOBS, "every job is done", timeout=300)
    seconds = time.monotonic() - started
    assert daemon.stop() == 0

    events, moves = daemon.events(), rows.moves()
    runs = runs_of(events)
    cut_short = journal.cut_short(deaths, runs)
    lost = journal.lost(numbers, runs)
    overlapping = journal.overlapping(events, deaths)
    again = journal.again_after_ack(moves, runs)
    # The settler says so of the job that the scoreboard names as the one in flight.
    blamed = rows.run("SELECT job_id FROM attempts WHERE error LIKE '%SIGKILL%while this job ran'")
    figures(
        jobs=JOBS,
        kills=KILLS,
        in_flight_by_the_journal=cut_short,
        in_flight_by_the_scoreboard=len(blamed),
        lost=len(lost),
        overlapping=len(overlapping),
        acknowledged_and_run_again=len(again),
        runs=len(runs),
        seconds=seconds,
    )
    assert cut_short >= KILLS / 2
    assert not lost
    assert not overlapping
    assert not again
    cut = {run.number for run in runs if run.ended is None}
    assert cut <= {row[0] for row in blamed}, "every killed attempt says so"


def test_without_the_guard_the_checkers_find_it(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    numbers = range(1, 2001)
    daemon.write_config(app="tests.acceptance.unguarded_app:queue")
    rows.add((n, "work", {"n": n, "seconds": 0.001}) for n in numbers)
    daemon.start()
    daemon.wait_until(lambda: rows.count(1) == len(numbers), "every job is done")
    daemon.stop()
    events = daemon.events()
    overlapping = journal.overlapping(events)
    again = journal.again_after_ack(rows.moves(), runs_of(events))
    figures(overlapping=len(overlapping), acknowledged_and_run_again=len(again))
    assert overlapping
    assert again
