"""The contenders, each with its settings; one line here and one module make another one."""

from bench.contenders.contender import Contender, Place


def _prepare(place: Place) -> None:
    # Late: the peers' environment, which reads this file too, lacks what qsuper needs.
    from bench.contenders import ours

    ours.prepare(place)


def _ours(store: str, name: str, jobs: int, **environ: str) -> Contender:
    return Contender(
        name=name,
        module="bench.contenders.ours",
        words=lambda _workers: ["qsuper", "run"],
        store={"mariadb": "MariaDB", "sqlite": "SQLite"}[store],
        settings="defaults; log level warning",
        recovery="runs again within a second; its job in flight with an attempt less",
        jobs=jobs,
        ours=True,
        environ={"BENCH_STORE": store, **environ},
        prepare=_prepare,
    )


QSUPER = _ours("mariadb", "qsuper, MariaDB", 200_000)
QSUPER_50 = _ours("mariadb", "qsuper, MariaDB, batch 50", 200_000, BENCH_BATCH="50")
QSUPER_200 = _ours("mariadb", "qsuper, MariaDB, batch 200", 200_000, BENCH_BATCH="200")
QSUPER_SINGLE = _ours("mariadb", "qsuper, MariaDB, batch 1", 20_000, BENCH_BATCH="1")
QSUPER_WAKE = _ours("mariadb", "qsuper, MariaDB, Redis wake-ups", 200_000, BENCH_WAKE="1")
QSUPER_SQLITE = _ours("sqlite", "qsuper, SQLite", 200_000)

OURS = [QSUPER, QSUPER_SQLITE]


def _floor(store: str, batch: int, jobs: int) -> Contender:
    module = {"mariadb": "bench.floor.drain", "sqlite": "bench.floor.drain_sqlite"}[store]
    stored = {"mariadb": "MariaDB", "sqlite": "SQLite"}[store]
    return Contender(
        name=f"floor, {stored}, batch {batch}",
        module="bench.contenders.ours",
        words=lambda _workers: ["python", "-m", module, str(batch)],
        store=stored,
        settings="the same statements in a bare loop over the driver",
        recovery="none: it is no queue",
        jobs=jobs,
        first=1,  # its jobs are numbered by their ids
        ours=True,
        environ={"BENCH_STORE": store},
        prepare=_prepare,
    )


FLOOR_SINGLE = _floor("mariadb", 1, 20_000)
FLOOR_50 = _floor("mariadb", 50, 200_000)
FLOOR_200 = _floor("mariadb", 200, 200_000)
FLOOR_SQLITE = _floor("sqlite", 50, 200_000)

BARE_INSERT = Contender(
    name="bare INSERT, MariaDB",
    module="bench.floor.insert",
    words=lambda _workers: ["true"],
    store="MariaDB",
    settings="PyMySQL, autocommit",
    recovery="none: it is no queue",
    jobs=20_000,
    ours=True,
    environ={"BENCH_STORE": "mariadb"},
    prepare=_prepare,
)
