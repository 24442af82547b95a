"""The real daemon with one worker, two, and so on to 64, on one MariaDB."""

import subprocess
import sys
from pathlib import Path

from bench.contenders import QSUPER
from bench.effort import Effort
from bench.figures import Ratio, Result, Series, ratio
from bench.lane import Lane, lane
from bench.rig import Rig
from qsuper.errors import ScoreboardError
from qsuper.scoreboard import PHASES, Child, Scoreboard
from tests.wait import wait_for

WORKERS = (1, 2, 4, 8, 16, 32, 64)
JOBS = 200_000
_READY = (PHASES.index("idle"), PHASES.index("paused"))
_DEADLOCKS = "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"


def measure(rig: Rig, effort: Effort, result: Result) -> None:
    """Add the rates and their ratio to the result."""
    each = {count: Series(by_workers(count), "jobs/s") for count in WORKERS}
    before = deadlocks(rig)
    for number in range(effort.rounds):
        start = number * len(WORKERS) // effort.rounds
        for count in [*WORKERS[start:], *WORKERS[:start]]:
            rate, found = drain(rig, count, effort.jobs(JOBS))
            each[count].values.append(rate)
            result.columns[by_workers(count)] = found
            said = ", ".join(f"{name} {value}" for name, value in found.items())
            print(
                f"  {number + 1}/{effort.rounds}  {count:>2} workers{rate:>12,.0f} jobs/s  {said}",
                flush=True,
            )
    result.series += each.values()
    best = max(each.values(), key=lambda series: series.median)
    result.ratios += [
        ratio(
            f"rate of {max(WORKERS)} workers by the best ({best.name})",
            each[max(WORKERS)],
            best,
            0.8,
            at_least=True,
        ),
        Ratio("deadlocks of all drains", deadlocks(rig) - before, 0, at_least=False, unit=""),
    ]
    result.notes.append(
        "Workers: all on this machine, whose cores are the database's, too; every worker is up"
        " before the first job may begin."
    )


def by_workers(count: int) -> str:
    """The name of the series."""
    return f"{count} workers"


def deadlocks(rig: Rig) -> int:
    """Since the server's start."""
    return int(rig.mariadb.query(_DEADLOCKS)[0][1])


def drain(rig: Rig, workers: int, jobs: int) -> tuple[float, dict[str, float]]:
    """Jobs a second, and what got into each other's way; fails when one was lost or run twice."""
    with lane(rig, QSUPER, workers=workers) as one:
        one.start()
        wait_for(lambda: up(one) == workers, 120, f"{workers} workers are up")
        _say(one, "pause")
        one.produce("bulk", QSUPER.first, jobs, min(jobs, 1000))
        _say(one, "resume")
        seconds = one.run_until(jobs)
        children = living(one)
        one.stop()
        count = one.journal.count(range(QSUPER.first, QSUPER.first + jobs))
        assert count.exact, f"{workers} workers: {count}"
        return jobs / seconds, {
            "conflicts a job": round(sum(child.conflicts for child in children) / jobs, 3),
            "helped": round(sum(child.helps for child in children) / jobs, 3),
        }


def up(one: Lane) -> int:
    """Workers that could begin a job."""
    return sum(child.role == "worker" and child.phase in _READY for child in living(one))


def living(one: Lane) -> list[Child]:
    """What the children say; none before there is a scoreboard."""
    try:
        board = Scoreboard.open(one.place.folder / "var" / "scoreboard")
    except ScoreboardError:
        return []
    return [record.snapshot() for record in board.records()]


def _say(one: Lane, verb: str) -> None:
    program = Path(sys.executable).parent / "qsuper"
    subprocess.run(
        [program, verb],
        cwd=one.place.folder,
        env=one.place.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
