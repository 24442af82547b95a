"""Enqueue: one at a time, and 1,000 at once, by one process; beside a bare INSERT."""

from bench.contenders import BARE_INSERT, QSUPER, QSUPER_SQLITE, QSUPER_WAKE
from bench.contenders.contender import Contender
from bench.contenders.peers import PEERS
from bench.effort import Effort
from bench.figures import Result, Series, ratio
from bench.lane import lane
from bench.rig import Rig
from bench.rounds import rounds

FIELD = [BARE_INSERT, QSUPER, QSUPER_WAKE, QSUPER_SQLITE, *PEERS]
BULK = [BARE_INSERT, QSUPER, QSUPER_SQLITE]
ONE_BY_ONE = 3_000
SIZE = 1_000
LISTS = 100


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("enqueue")
    print("one at a time")
    for contender, series in rounds(FIELD, effort, "jobs/s"):
        count = effort.jobs(ONE_BY_ONE)
        with lane(rig, contender) as one:
            answer = one.produce("one", contender.first, count)
        series.values.append((count - 1) / answer["seconds"])
        result.keep(series)
    print("1,000 at once")
    bulk: dict[str, Series] = {}
    for contender, series in rounds(BULK, effort, "rows/s"):
        count = SIZE * max(2, int(LISTS * effort.share))
        with lane(rig, contender) as one:
            answer = one.produce("bulk", contender.first, count, SIZE)
        series.values.append((count - SIZE) / answer["seconds"])
        bulk[contender.name] = series
    one_by_one = {series.name: series for series in result.series}

    def by_bare(what: str, ours: Contender, of: dict[str, Series], target: float) -> None:
        bare = of[BARE_INSERT.name]
        result.ratios.append(ratio(what, of[ours.name], bare, target, at_least=True))

    by_bare("enqueue one at a time, by a bare INSERT", QSUPER, one_by_one, 0.85)
    by_bare("the same with Redis wake-ups", QSUPER_WAKE, one_by_one, 0.65)
    by_bare("enqueue in bulk of 1,000, by bare INSERTs of 1,000 rows", QSUPER, bulk, 0.7)
    for name, series in bulk.items():
        series.name = f"{name}, 1,000 at once"
        result.keep(series)
    return result
