"""Latency: from before the enqueueing to the job's code, on an idle system, one job at a time.

Each job writes down how old the number is that it was given: the moment before its enqueueing.
"""

from dataclasses import replace

from bench.contenders import BARE_INSERT, QSUPER, QSUPER_SQLITE, QSUPER_WAKE
from bench.contenders.contender import Contender
from bench.contenders.peers import (
    CELERY,
    CELERY_SOLO,
    DRAMATIQ,
    HUEY_REDIS,
    RQ,
    SAQ,
    TASKIQ,
)
from bench.effort import Effort
from bench.figures import Ratio, Result, Series, percentile, ratio
from bench.lane import Lane, lane
from bench.rig import Rig
from qsuper.roles.scheduler import LOOK
from tests.wait import wait_for

STAMPS = 300
FIRST = 20
"""Stamps of a producer's first jobs: it connects, and its interpreter warms up."""
PAUSE, PAUSE_OF_POLLS = 0.01, 0.02
"""Mean seconds between two jobs: long enough that each finds the system idle."""
BEYOND_LOOK = 15.0
"""Milliseconds that a foreign INSERT's p99 may take beyond the interval of the looks."""
WARM = 20
"""Jobs of a first producer, which find out that all workers are up."""


def _floor(name: str, module: str) -> Contender:
    return replace(
        BARE_INSERT, name=name, module=module, words=lambda _workers: ["python", "-m", module]
    )


BARE_PATH = _floor("bare path, MariaDB and Redis", "bench.floor.path")
BARE_POLL = replace(
    _floor("bare poll each 22 ms, foreign INSERT", "bench.floor.poll"), module=BARE_INSERT.module
)
FOREIGN = replace(QSUPER, name="qsuper, foreign INSERT", module=BARE_INSERT.module)

WOKEN = [QSUPER_WAKE, BARE_PATH]
POLLED = [QSUPER, QSUPER_SQLITE, FOREIGN, BARE_POLL]
PEERS = [HUEY_REDIS, TASKIQ, CELERY, CELERY_SOLO, DRAMATIQ, SAQ, RQ]
"""All of them are told of a job by Redis."""
EVERY_ROUND = [*WOKEN, FOREIGN]
"""Those with a target; the others, which cost minutes, have a turn in every other round."""


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("latency")
    field = [*WOKEN, *PEERS, *POLLED]
    for contender in field:
        for part in ("p50", "p99"):
            result.series.append(Series(f"{contender.name}, {part}", "ms"))
    for number in range(effort.rounds):
        start = number * max(1, len(field) // effort.rounds) % len(field)
        for contender in [*field[start:], *field[:start]]:
            if number % 2 and contender not in EVERY_ROUND:
                continue
            pause = PAUSE_OF_POLLS if contender in POLLED else PAUSE
            stamps = measure(rig, contender, max(100, effort.jobs(STAMPS)), pause)
            middle, tail = percentile(stamps, 50), percentile(stamps, 99)
            result.get(f"{contender.name}, p50").values.append(middle)
            result.get(f"{contender.name}, p99").values.append(tail)
            print(
                f"  {number + 1}/{effort.rounds}  {contender.name:36}"
                f"{middle:>8.2f}{tail:>8.2f}{max(stamps):>8.2f} ms (p50, p99, most)",
                flush=True,
            )
    result.ratios = targets(result)
    result.notes = [
        "from before the enqueueing call to the job's first line, 4 workers, all at rest;"
        f" {STAMPS} jobs a round, one each {PAUSE * 1e3:g} ms"
        f" ({PAUSE_OF_POLLS * 1e3:g} ms where no word comes through Redis)",
        "qsuper and the bare path make two durable commits on the way, the enqueueing's and the"
        " claim's; the queues on Redis make none",
        "what has no target of its own has a turn in every other round",
    ]
    return result


def measure(rig: Rig, contender: Contender, count: int, pause: float) -> list[float]:
    """The ages of so many jobs when they began, in ms."""
    with lane(rig, contender) as one:
        one.start(BENCH_STAMP="1")
        stamp(one, WARM, pause)
        one.journal.empty()
        stamp(one, count + FIRST, pause)
        one.stop()
        return [nanoseconds / 1e6 for nanoseconds in one.journal.numbers()[FIRST:]]


def stamp(one: Lane, count: int, pause: float) -> None:
    """Enqueue, and wait until all have run: each once."""
    one.produce("stamp", count, pause, BENCH_STAMP="1")
    wait_for(lambda: one.journal.records >= count, 60.0, f"{one.contender.name} runs all its jobs")
    assert one.journal.records == count, f"{one.contender.name} ran a job twice"


def targets(result: Result) -> list[Ratio]:
    found = [
        ratio(
            f"latency with Redis wake-ups, {part}, by the bare path",
            result.get(f"{QSUPER_WAKE.name}, {part}"),
            result.get(f"{BARE_PATH.name}, {part}"),
            1.3,
            at_least=False,
        )
        for part in ("p50", "p99")
    ]
    foreign = result.get(f"{FOREIGN.name}, p99")
    most = LOOK * 1e3 + BEYOND_LOOK
    found.append(
        Ratio(
            "a foreign INSERT without Redis, p99",
            foreign.median,
            most,
            at_least=False,
            low=foreign.low,
            high=foreign.high,
            unit="ms",
            note=f"the look interval, {LOOK * 1e3:g} ms, and {BEYOND_LOOK:g} ms",
        )
    )
    return found
