"""Mixed: slow jobs among fast ones, and how far from the ideal schedule they end.

The ideal: whichever of the 4 workers is free first takes the next job by id, and nothing costs
anything but the jobs themselves.
"""

import heapq
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.effort import Effort
from bench.figures import Result, Series, ratio
from bench.rig import Rig
from qsuper import Queue
from qsuper.store import schema
from qsuper.store.database import Database
from tests.acceptance.daemon import Daemon

WORKERS = 4
FAST, SLOW = 0.0001, 2.0
"""Seconds that a job takes."""
JOBS, SLOW_ONES = 1_000, 40
MOST = 1.1


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("mixed")
    ideal = Series("ideal", "s")
    stores = [Series("qsuper, MariaDB", "s"), Series("qsuper, SQLite", "s")]
    for number in range(effort.rounds):
        seconds = durations(number, effort.jobs(JOBS))
        ideal.values.append(list_schedule(seconds, WORKERS))
        for series in stores if number % 2 else reversed(stores):
            series.values.append(makespan(rig, series.name, seconds))
            print(
                f"  {number + 1}/{effort.rounds}  {series.name:36}{series.values[-1]:>12.2f} s"
                f" (ideal {ideal.values[-1]:.2f} s)",
                flush=True,
            )
    result.series = [ideal, *stores]
    result.ratios = [
        ratio(f"makespan by the ideal, {series.name}", series, ideal, MOST, at_least=False)
        for series in stores
    ]
    result.notes = [
        f"{JOBS:,} jobs, {SLOW_ONES} of them of {SLOW:g} s, the others of {FAST * 1e3:g} ms, in an"
        " order that differs from round to round; from the first begin to the last end"
    ]
    return result


def durations(seed: int, jobs: int) -> list[float]:
    """Seconds of each job, by id."""
    slow = jobs * SLOW_ONES // JOBS
    seconds = [SLOW] * slow + [FAST] * (jobs - slow)
    random.Random(seed).shuffle(seconds)
    return seconds


def list_schedule(seconds: Sequence[float], machines: int) -> float:
    """When the last job ends if each in turn goes to the machine that is free first."""
    free_at = [0.0] * machines
    for one in seconds:
        heapq.heapreplace(free_at, free_at[0] + one)
    return max(free_at)


def makespan(rig: Rig, store: str, seconds: Sequence[float]) -> float:
    """Seconds from the first begin to the last end; fails when a job did not run just once."""
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        folder = Path(name)
        sqlite = store.endswith("SQLite")
        url = f"sqlite:///{folder}/jobs.db" if sqlite else rig.mariadb.create_database()
        schema.upgrade(Database(url))
        Queue(url).add_many(
            "work", [{"n": n, "seconds": one} for n, one in enumerate(seconds, start=1)]
        )
        daemon = Daemon(folder, url)
        daemon.write_config(queues={"default": {"workers": WORKERS}}, log={"level": "warning"})
        try:
            daemon.start(ready=False)
            daemon.wait_until(lambda: daemon.written() >= 2 * len(seconds), "all jobs have ended")
            daemon.stop()
        finally:
            daemon.clean_up()
            if not sqlite:
                rig.mariadb.drop(url)
        runs = daemon.runs()
        assert sorted(run.number for run in runs) == list(range(1, len(seconds) + 1))
        assert all(run.succeeded for run in runs)
        ends = [run.ended for run in runs if run.ended is not None]
        return (max(ends) - min(run.began for run in runs)) / 1e9
