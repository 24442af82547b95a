"""Drain: how fast 4 worker processes empty a full queue of jobs that do nothing.

The clock runs from the first record in the journal to the last one: start-up is not part of it.
"""

from bench.contenders import (
    FLOOR_50,
    FLOOR_200,
    FLOOR_SINGLE,
    FLOOR_SQLITE,
    QSUPER,
    QSUPER_50,
    QSUPER_200,
    QSUPER_SINGLE,
    QSUPER_SQLITE,
)
from bench.contenders.contender import Contender
from bench.contenders.peers import PEERS
from bench.effort import Effort
from bench.figures import Ratio, Result, Series, ratio
from bench.lane import lane
from bench.rig import Rig
from bench.rounds import rounds

FIELD = [
    QSUPER,
    FLOOR_50,
    QSUPER_50,
    FLOOR_200,
    QSUPER_200,
    FLOOR_SINGLE,
    QSUPER_SINGLE,
    FLOOR_SQLITE,
    QSUPER_SQLITE,
    *PEERS,
]


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("drain")
    for contender, series in rounds(FIELD, effort, "jobs/s"):
        series.values.append(drain(rig, contender, effort.jobs(contender.jobs)))
        result.keep(series)
    for contender in FIELD:
        result.columns[contender.name] = {
            "store": contender.store,
            "settings": contender.settings,
            "recovery": contender.recovery,
            "jobs": effort.jobs(contender.jobs),
        }
    result.ratios = list(targets(result))
    return result


def drain(rig: Rig, contender: Contender, jobs: int) -> float:
    """Jobs a second; fails when one was lost or run twice."""
    with lane(rig, contender) as one:
        one.produce("bulk", contender.first, jobs, min(jobs, 1000))
        one.start()
        seconds = one.run_until(jobs)
        one.stop()
        count = one.journal.count(range(contender.first, contender.first + jobs))
        assert count.exact, f"{contender.name}: {count}"
        return jobs / seconds


def targets(result: Result) -> list[Ratio]:
    def of(contender: Contender) -> Series:
        return result.get(contender.name)

    def by_floor(what: str, ours: Contender, floor: Contender, target: float) -> Ratio:
        return ratio(what, of(ours), of(floor), target, at_least=True)

    fastest = max((of(peer) for peer in PEERS), key=lambda series: series.median)
    celery, solo = (
        next(of(peer) for peer in PEERS if peer.name == name)
        for name in ("Celery", "Celery, solo pools")
    )
    huey = next(of(peer) for peer in PEERS if peer.name == "huey, SQLite")
    return [
        ratio(
            f"drain, MariaDB, by the fastest peer ({fastest.name})",
            of(QSUPER),
            fastest,
            3.0,
            at_least=True,
        ),
        ratio(
            "drain, MariaDB, by Celery as it recommends (prefork)",
            of(QSUPER),
            celery,
            30.0,
            at_least=True,
        ),
        ratio("drain, MariaDB, by Celery's solo pools", of(QSUPER), solo, 3.0, at_least=True),
        by_floor("drain, MariaDB, batch 50, by the floor", QSUPER_50, FLOOR_50, 0.8),
        by_floor("drain, MariaDB, batch 200, by the floor", QSUPER_200, FLOOR_200, 0.8),
        by_floor("drain, MariaDB, one at a time, by the floor", QSUPER_SINGLE, FLOOR_SINGLE, 0.85),
        ratio("drain, SQLite, by huey on SQLite", of(QSUPER_SQLITE), huey, 4.0, at_least=True),
        by_floor("drain, SQLite, by the floor", QSUPER_SQLITE, FLOOR_SQLITE, 0.6),
    ]
