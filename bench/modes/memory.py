"""Memory: what 4 idle workers and their company hold, of PSS and of USS.

PSS shares what several processes share among them; USS is what would be free if one were gone.
"""

import functools
import time
from dataclasses import replace

from bench.contenders import QSUPER, QSUPER_SQLITE, ours
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
from bench.figures import Ratio, Result, Series, ratio
from bench.floor.processes import PROCESSES
from bench.lane import Lane, lane
from bench.rig import Rig
from bench.rounds import rounds

MEGABYTE = 1e6
SETTLED = 4.0
"""Seconds after the first job, in which the last process starts and the first garbage goes."""
JOBS = 2_000
USS_MOST = 13.0


def _bare(way: str, name: str) -> Contender:
    return replace(
        QSUPER,
        name=f"{PROCESSES} bare processes, {name}",
        words=lambda _workers: ["python", "-m", "bench.floor.processes", way],
        settings="forked from one, each with a connection",
        recovery="none: it is no queue",
    )


def _any_url(place: Place) -> None:
    """A URL that is left to SQLAlchemy; the option is the default."""
    ours.prepare(place)
    config = place.folder / ours.CONFIG
    url = place.environ["BENCH_MYSQL"]
    config.write_text(config.read_text().replace(url, f"{url}?local_infile=0"))


BARE = _bare("pymysql", "PyMySQL")
BARE_SQLALCHEMY = _bare("sqlalchemy", "SQLAlchemy")
BARES = (BARE, BARE_SQLALCHEMY)
QSUPER_SQLALCHEMY = replace(
    QSUPER, name="qsuper, MariaDB, URL read by SQLAlchemy", prepare=_any_url
)
RIVALS = [QSUPER, QSUPER_SQLITE, HUEY_REDIS, CELERY]
OTHERS = [QSUPER_SQLALCHEMY, *BARES, HUEY_MYSQL, TASKIQ, DRAMATIQ, RQ, SAQ, FIRM]


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("memory")
    largest: dict[str, Series] = {}
    for field, times in ((RIVALS, effort), (OTHERS, replace(effort, rounds=1))):
        for contender, series in rounds(field, times, "MB"):
            pss, uss, processes = idle(rig, contender)
            series.values.append(pss)
            largest.setdefault(contender.name, Series("", "MB")).values.append(uss)
            result.keep(series)
            result.columns[contender.name] = {
                "processes": processes,
                "largest USS, MB": largest[contender.name].median,
            }
    for contender in RIVALS:
        after = used(rig, contender)
        result.columns[contender.name][f"PSS after {JOBS:,} jobs, MB"] = after
        print(f"  after {JOBS:,} jobs  {contender.name:36}{after:>4.0f} MB", flush=True)
    result.ratios = targets(result, largest)
    result.notes = notes(result)
    return result


def idle(rig: Rig, contender: Contender) -> tuple[float, float, int]:
    """PSS and largest USS in MB once all of it is there and rests, and how many processes."""
    with lane(rig, contender) as one:
        if contender not in BARES:
            one.produce("one", contender.first, 1)
        one.start()
        one.run_until(PROCESSES if contender in BARES else 1)
        time.sleep(SETTLED)
        return *weigh(one), len(one.processes())


def used(rig: Rig, contender: Contender) -> float:
    """PSS in MB of what has done something and rests again."""
    with lane(rig, contender) as one:
        one.produce("bulk", contender.first, JOBS, JOBS // 2)
        one.start()
        one.run_until(JOBS)
        time.sleep(SETTLED)
        return weigh(one)[0]


def weigh(one: Lane) -> tuple[float, float]:
    """PSS of all its processes, and the largest USS among them, in MB."""
    each = [process.memory_full_info() for process in one.processes()]
    return sum(info.pss for info in each) / MEGABYTE, max(info.uss for info in each) / MEGABYTE


def targets(result: Result, largest: dict[str, Series]) -> list[Ratio]:
    pss = functools.partial(ratio, over=result.get(QSUPER.name), at_least=False)
    uss = largest[QSUPER.name]
    return [
        pss("memory (PSS), MariaDB, by Celery", under=result.get(CELERY.name), target=0.9),
        pss(
            "memory (PSS), MariaDB, by huey",
            under=result.get(HUEY_REDIS.name),
            target=1.0,
            note="an aim",
        ),
        Ratio(
            "USS of the largest idle process, MariaDB",
            uss.median,
            USS_MOST,
            at_least=False,
            low=uss.low,
            high=uss.high,
            unit="MB",
        ),
    ]


def notes(result: Result) -> list[str]:
    def more(over: Contender, under: Contender) -> float:
        return result.get(over.name).median - result.get(under.name).median

    return [
        f"SQLAlchemy's: {more(QSUPER_SQLALCHEMY, QSUPER):.0f} MB of qsuper where it reads the URL,"
        f" none where the URL is plain; {more(BARE_SQLALCHEMY, BARE):.0f} MB of the"
        f" {PROCESSES} bare processes",
        "libraries' files are shared with whatever else runs, the benchmark itself included:"
        " on an empty machine each contender holds some MB more",
        "those without a target are weighed once: what they hold differs by 1 % from run to run",
        "thread pools (Dramatiq, firm-queue) and event loops (taskiq, SAQ) run several jobs at"
        " once in each of the 4 processes",
    ]
