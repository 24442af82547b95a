"""Idle: what 4 workers with nothing to do cost, in CPU time and in statements and commands."""

import time
from dataclasses import replace

import redis

from bench.contenders import QSUPER, QSUPER_SQLITE, QSUPER_WAKE, ours
from bench.contenders.contender import Contender, Place
from bench.contenders.peers import (
    CELERY,
    DRAMATIQ,
    FIRM,
    HUEY_MYSQL,
    HUEY_REDIS,
    RQ,
    SAQ,
    TASKIQ,
)
from bench.effort import Effort
from bench.figures import Result, Series
from bench.lane import lane
from bench.rig import Rig
from bench.rounds import rounds
from bench.spent import cpu_nanoseconds

SETTLED = 2.5
"""Seconds after the first job."""
WINDOW = 5.0
"""Seconds that are measured: the rarest of qsuper's chores comes once in so many."""
QUEUES = 8


def _eight_queues(place: Place) -> None:
    """As many workers, and seven more queues that have none here."""
    ours.prepare(place)
    with (place.folder / ours.CONFIG).open("a") as config:
        for number in range(1, QUEUES):
            config.write(f"[queues.more{number}]\nworkers = 0\n")


QSUPER_EIGHT = replace(QSUPER, name=f"qsuper, MariaDB, {QUEUES} queues", prepare=_eight_queues)
OURS = [QSUPER, QSUPER_EIGHT, QSUPER_WAKE, QSUPER_SQLITE]
PEERS = [HUEY_REDIS, HUEY_MYSQL, TASKIQ, DRAMATIQ, CELERY, RQ, SAQ, FIRM]


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("idle")
    asked: dict[str, tuple[Series, Series]] = {}
    for field, times in ((OURS, effort), (PEERS, replace(effort, rounds=1))):
        for contender, series in rounds(field, times, "CPU ms/min"):
            both = asked.setdefault(contender.name, (Series("", "1/s"), Series("", "1/s")))
            cpu, *counts = idle(rig, contender)
            series.values.append(cpu)
            for one, count in zip(both, counts, strict=True):
                one.values.append(count)
            result.keep(series)
    for name, (statements, commands) in asked.items():
        result.columns[name] = {
            "statements a second": statements.median,
            "Redis commands a second": commands.median,
        }
    result.notes = [
        "CPU time of the queue's own processes; the servers' is not in it",
        f"windows of {WINDOW:g} s, {SETTLED:g} s after a first job; the peers once, for the order"
        " of magnitude: nothing is compared",
    ]
    return result


def idle(rig: Rig, contender: Contender) -> tuple[float, float, float]:
    """CPU milliseconds a minute, statements a second, Redis commands a second."""
    with (
        lane(rig, contender) as one,
        redis.Redis.from_url(rig.redis.socket_url()) as client,
    ):
        one.produce("one", contender.first, 1)
        one.start()
        one.run_until(1)
        time.sleep(SETTLED)
        processes = one.processes()
        began = time.monotonic()
        before = cpu_nanoseconds(processes), rig.mariadb.statement_count(), _commands(client)
        time.sleep(WINDOW)
        after = cpu_nanoseconds(processes), rig.mariadb.statement_count(), _commands(client) - 1
        seconds = time.monotonic() - began
        assert one.journal.records == 1
        cpu, *counts = (late - early for early, late in zip(before, after, strict=True))
        return cpu / 1e6 * 60 / seconds, counts[0] / seconds, counts[1] / seconds


def _commands(client: "redis.Redis") -> int:
    """How many commands clients have sent since the server's start."""
    return int(client.info("stats")["total_commands_processed"])
