"""Kills: what each queue loses and repeats when all of it is killed at once, as by a power cut.

And once qsuper at full speed, a random worker of it killed every 0.2 s: nothing is lost, nothing
overlaps, nothing that was acknowledged runs again.
"""

import tempfile
from pathlib import Path

from bench.contenders import OURS
from bench.contenders.contender import Contender
from bench.contenders.peers import PEERS
from bench.effort import Effort
from bench.figures import Ratio, Result, Series
from bench.killing import Kills, kill_workers
from bench.lane import lane, quiet
from bench.rig import Rig

FIELD = [*OURS, *PEERS]
SHARE = 0.2
"""Of the jobs of a drain."""
KILLED_AT = 0.3
QUIET = 20.0
"""Seconds without a job after which what has not run counts as lost."""
JOBS = 200_000
EVERY = 0.2


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("kills")
    for contender in FIELD:
        lost, repeated, jobs = power_cut(rig, contender, effort.jobs(int(contender.jobs * SHARE)))
        print(
            f"  {contender.name:36}{lost:>9,} lost {repeated:>7,} repeated of {jobs:,}", flush=True
        )
        result.series.append(Series(contender.name, "lost", [lost]))
        result.columns[contender.name] = {
            "jobs": jobs,
            "lost": lost,
            "repeated": repeated,
            "recovery": contender.recovery,
        }
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        kills = kill_workers(rig, Path(name), effort.jobs(JOBS), EVERY)
    print(f"  {kills}", flush=True)
    result.columns["qsuper, MariaDB, a worker killed every 0.2 s"] = kills.figures()
    result.ratios = targets(kills)
    result.notes = [
        f"all processes of a queue killed when {KILLED_AT:.0%} of its jobs have run, and started"
        f" again at once; lost: not run when nothing has run for {QUIET:g} s",
        "some peers run later what counts as lost here: how much later stands in `recovery`",
        "the databases and Redis were not killed; Redis keeps nothing on disk here",
    ]
    return result


def power_cut(rig: Rig, contender: Contender, jobs: int) -> tuple[int, int, int]:
    """How many jobs were lost, how many runs were one too many, of how many jobs."""
    numbers = range(contender.first, contender.first + jobs)
    with lane(rig, contender) as one:
        one.produce("bulk", contender.first, jobs, min(jobs, 1000))
        one.start()
        one.run_until(int(jobs * KILLED_AT))
        one.kill()
        done = one.journal.records
        assert done < jobs, f"{contender.name} was quicker than the kill: {done} of {jobs}"
        one.start()
        quiet(one, QUIET)
        count = one.journal.count(numbers)
        assert not count.unknown
        if contender.ours:
            assert not count.lost, f"{contender.name}: {count}"
        return count.lost, count.repeated, jobs


def targets(kills: Kills) -> list[Ratio]:
    """The promise; what is counted is asserted to be none before this is reached."""
    what = f"of {kills.jobs:,} jobs at {kills.rate:,.0f}/s, {kills.kills} workers killed"
    return [
        Ratio(f"{name} {what}", count, 0, at_least=False, unit="")
        for name, count in (
            ("lost", kills.lost),
            ("overlapping", kills.overlapping),
            ("acknowledged and run again", kills.again),
        )
    ]
