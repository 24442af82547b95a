"""CPU: user and system time of all of a queue's processes, for a job that does nothing.

The database's and Redis' own time is not in it, nor is the producer's or the start.
"""

import time
from dataclasses import replace

from bench.contenders import FLOOR_50, FLOOR_SQLITE, QSUPER, QSUPER_SQLITE
from bench.contenders.contender import Contender
from bench.contenders.peers import (
    CELERY,
    DRAMATIQ,
    FIRM,
    HUEY_MYSQL,
    HUEY_REDIS,
    HUEY_SQLITE,
    RQ,
    SAQ,
    TASKIQ,
)
from bench.effort import Effort
from bench.figures import Ratio, Result
from bench.lane import lane
from bench.rig import Rig
from bench.rounds import rounds
from bench.spent import cpu_seconds

OURS = [QSUPER, FLOOR_50, QSUPER_SQLITE, FLOOR_SQLITE]
PEERS = [HUEY_REDIS, HUEY_MYSQL, HUEY_SQLITE, TASKIQ, DRAMATIQ, CELERY, RQ, SAQ, FIRM]
PEERS_SHARE = 0.2
"""Of their usual jobs: they are here for the order of magnitude."""
WARM = 10
"""The first of so many parts of the jobs is not counted: all workers have started by then."""
MOST = 50.0


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("cpu")
    once = replace(effort, rounds=1, share=effort.share * PEERS_SHARE)
    for field, times in ((OURS, effort), (PEERS, once)):
        for contender, series in rounds(field, times, "µs/job"):
            series.values.append(spent(rig, contender, times.jobs(contender.jobs)))
            result.keep(series)
    for contender in (QSUPER, QSUPER_SQLITE):
        series = result.get(contender.name)
        what = f"CPU per no-op job, {contender.store}"
        result.ratios.append(
            Ratio(what, series.median, MOST, False, series.low, series.high, unit="µs")
        )
    result.notes = [
        f"drains of {QSUPER.jobs:,} jobs, of a peer once {PEERS_SHARE:.0%} of its drain",
        "what the MariaDB or Redis server spends is not counted; SQLite's work is, for it is done"
        " in the workers",
    ]
    return result


def spent(rig: Rig, contender: Contender, jobs: int) -> float:
    """Microseconds a job."""
    with lane(rig, contender) as one:
        one.produce("bulk", contender.first, jobs, min(jobs, 1000))
        one.start()
        one.run_until(jobs // WARM)
        before, done = cpu_seconds(one.processes()), one.journal.records
        one.run_until(jobs)
        time.sleep(0.1)  # the last jobs are acknowledged
        seconds = cpu_seconds(one.processes()) - before
        count = one.journal.count(range(contender.first, contender.first + jobs))
        assert count.exact, f"{contender.name}: {count}"
        return seconds / (jobs - done) * 1e6
