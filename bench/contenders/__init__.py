"""The contenders, each with its settings; one line here and one module make another one."""

from bench.contenders import ours
from bench.contenders.contender import Contender


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
        prepare=ours.prepare,
    )


QSUPER = _ours("mariadb", "qsuper, MariaDB", 200_000)
QSUPER_50 = _ours("mariadb", "qsuper, MariaDB, batch 50", 200_000, BENCH_BATCH="50")
QSUPER_200 = _ours("mariadb", "qsuper, MariaDB, batch 200", 200_000, BENCH_BATCH="200")
QSUPER_SINGLE = _ours("mariadb", "qsuper, MariaDB, batch 1", 20_000, BENCH_BATCH="1")
QSUPER_WAKE = _ours("mariadb", "qsuper, MariaDB, Redis wake-ups", 200_000, BENCH_WAKE="1")
QSUPER_SQLITE = _ours("sqlite", "qsuper, SQLite", 200_000)

OURS = [QSUPER, QSUPER_SQLITE]
