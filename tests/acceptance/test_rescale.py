"""The number of workers is changed all the time, under load."""

import random
import time

import pytest

from tests.acceptance import process_table
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.load import Load
from tests.acceptance.rows import Rows
from tests.wait import wait_for

RESCALES = 50
SECONDS = {"mysql": 20.0, "sqlite": 5.0}
MOST = 20


def test_fifty_rescales_under_load_lose_nothing_and_cut_no_job(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    rng = random.Random(50)
    load = Load(rows)
    load.add(2000)
    daemon.write_config(log={"level": "warning"})
    daemon.start()
    pace = SECONDS[rows.kind] / RESCALES
    workers = 0
    started = time.monotonic()
    for number in range(1, RESCALES + 1):
        workers = rng.choice([count for count in range(1, MOST + 1) if count != workers])
        daemon.scale(workers)
        load.top_up(1000)
        wait_until(started + number * pace)
    seconds = time.monotonic() - started
    left = rows.count(0)
    daemon.wait_until(lambda: is_exact(daemon, workers), f"there are {workers} workers")
    load.wait_until_done(daemon)
    assert is_exact(daemon, workers)
    started_in_all = {run.pid for run in daemon.runs()}
    assert daemon.stop() == 0

    assert left, "the load lasted until the last rescale"
    unfinished = load.unfinished(daemon)
    load.judge(
        daemon,
        figures,
        rescales=RESCALES,
        seconds=seconds,
        workers_in_all=len(started_in_all),
        jobs_cut_short=len(unfinished),
        workers_at_the_end=workers,
    )
    assert not unfinished
    assert not rows.run("SELECT * FROM attempts")
    assert "killing" not in daemon.log()


@pytest.mark.parametrize("workers", [1, 20])
def test_a_rescale_waits_for_a_job_that_runs(
    mariadb_daemon: Daemon, mariadb_rows: Rows, figures: Figures, workers: int
) -> None:
    load = Load(mariadb_rows)
    daemon = mariadb_daemon
    daemon.start()
    jobs = [load.add_job("work", seconds=3.0) for _ in range(4)]
    for job in jobs:
        daemon.running(job)
    daemon.scale(workers)
    load.wait_until_done(daemon)
    daemon.wait_until(lambda: is_exact(daemon, workers), f"there are {workers} workers")
    load.judge(daemon, figures)
    assert len(daemon.runs()) == len(jobs)


def wait_until(moment: float) -> None:
    wait_for(lambda: time.monotonic() >= moment)


def is_exact(daemon: Daemon, workers: int) -> bool:
    """Whether status, the slices and the process table agree on the number of workers."""
    shown = [one for one in daemon.status()["children"] if one["role"] == "worker"]
    running = [one for one in shown if one["state"] == "RUNNING"]
    slices = {one["slice"] for one in running}
    ordinals = sorted(record.ordinal for record in daemon.workers())
    others = {one["pid"] for one in daemon.status()["children"] if one["role"] != "worker"}
    table = {process.pid for process in process_table.family(daemon.pid)} - others
    return (
        len(shown) == len(running) == workers
        and slices == {f"{index}/{workers}" for index in range(workers)}
        and ordinals == list(range(workers))
        and table == {one["pid"] for one in running}
    )
