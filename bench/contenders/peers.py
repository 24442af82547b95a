"""The peers, each at the fastest settings that its documentation offers for what it promises.

One environment holds them all (requirements/bench.in).
"""

import json
import shlex
import subprocess

from bench.contenders.contender import Contender, Place
from bench.rig import PEERS as ENVIRONMENT


def _huey(name: str, storage: str, settings: str, jobs: int, polling: str = "") -> Contender:
    return Contender(
        name=f"huey, {name}",
        module="bench.contenders.huey",
        words=lambda workers: (
            f"huey_consumer --worker-type process --workers {workers} --quiet"
            f" --graceful-signal TERM {polling} bench.contenders.huey.huey"
        ).split(),
        store=name,
        settings=settings,
        recovery="lost: what was popped is gone from the queue before it runs",
        jobs=jobs,
        environ={"BENCH_STORE": storage},
    )


# 20 ms is how often qsuper looks, too; by default it would back off to 10 s.
_POLLING = "--delay 0.02 --max-delay 0.02 --backoff 1"

HUEY_REDIS = _huey("Redis", "redis", "4 processes, blocking pop, no results", 200_000)
HUEY_MYSQL = _huey(
    "MariaDB",
    "mysql",
    "SqlHuey over PyMySQL, 4 processes, polls each 20 ms, no results",
    8_000,
    _POLLING,
)
HUEY_SQLITE = _huey(
    "SQLite",
    "sqlite",
    "WAL and synchronous=FULL as by default, 4 processes, polls each 20 ms, no results",
    20_000,
    _POLLING,
)

TASKIQ = Contender(
    name="taskiq, Redis stream",
    module="bench.contenders.taskiq",
    words=lambda workers: (
        f"taskiq worker --workers {workers} --log-level WARNING bench.contenders.taskiq:broker"
    ).split(),
    store="Redis",
    settings="4 processes, async job; 100 at once, 100 a read as by default; uvloop, hiredis",
    recovery="runs again when its stream entry was idle for 10 min (idle_timeout)",
    jobs=100_000,
)

DRAMATIQ = Contender(
    name="Dramatiq",
    module="bench.contenders.dramatiq",
    words=lambda workers: (
        # Without --skip-logging it logs at INFO.
        f"dramatiq --processes {workers} --threads 4 --skip-logging bench.contenders.dramatiq"
    ).split(),
    store="Redis",
    settings="4 processes of 4 threads, dramatiq_queue_prefetch=100 (by default 8), hiredis",
    recovery="runs again when its process was silent for 60 s, at 1 in 1,000 of others' commands",
    jobs=200_000,
    environ={"dramatiq_queue_prefetch": "100"},
)

_CELERY = (
    "celery --quiet --app bench.contenders.celery worker --loglevel WARNING"
    " --without-gossip --without-mingle --without-heartbeat"
)

CELERY = Contender(
    name="Celery",
    module="bench.contenders.celery",
    words=lambda workers: f"{_CELERY} --pool prefork --concurrency {workers}".split(),
    store="Redis",
    settings="prefork pool of 4 (the recommended one), prefetch 128 as advised for short jobs",
    recovery="lost: acknowledged before it runs; what was only prefetched comes back after 1 h",
    jobs=8_000,
)
CELERY_LATE = Contender(
    name="Celery, acks late",
    module=CELERY.module,
    words=CELERY.words,
    store="Redis",
    settings="as Celery, with task_acks_late and task_reject_on_worker_lost",
    recovery="runs again: at once if only its child died, else after 1 h (visibility_timeout)",
    jobs=8_000,
    environ={"BENCH_ACKS_LATE": "1"},
)
CELERY_SOLO = Contender(
    name="Celery, solo pools",
    module=CELERY.module,
    words=lambda workers: _several(
        [f"{_CELERY} --pool solo --hostname worker{number}@bench" for number in range(workers)]
    ),
    store="Redis",
    settings="4 commands with --pool solo: no pool process, no time limits; prefetch 128",
    recovery=CELERY.recovery,
    jobs=20_000,
)

RQ = Contender(
    name="RQ",
    module="bench.contenders.rq",
    words=lambda workers: (
        f"rq worker-pool --num-workers {workers} --worker-class rq.worker.SimpleWorker"
        " --quiet --logging-level WARNING --config bench.contenders.rq bench"
    ).split(),
    store="Redis",
    settings="worker-pool of 4, SimpleWorker: no fork for each job; result_ttl=0",
    recovery="failed as abandoned 4 to 14 min later; runs again only if enqueued with Retry",
    jobs=8_000,
)

SAQ = Contender(
    name="SAQ",
    module="bench.contenders.saq",
    # With --workers a signal to the first process leaves the others behind.
    words=lambda workers: _several(["saq bench.contenders.saq.settings"] * workers),
    store="Redis",
    settings="4 processes, async job, concurrency 50, hiredis, no results (ttl -1)",
    recovery="aborted by a sweep up to 70 s later; runs again only with retries above 1",
    jobs=40_000,
)


def _make_firm_tables(place: Place) -> None:
    words = ["-c", "from bench.contenders import firm; firm.create_tables()"]
    subprocess.run(
        [str(ENVIRONMENT / "bin/python"), *words], env=place.environ, cwd=place.folder, check=True
    )


FIRM = Contender(
    name="firm-queue, MariaDB",
    module="bench.contenders.firm",
    words=lambda workers: [
        "python",
        "-c",
        f"from bench.contenders import firm; firm.serve({workers})",
    ],
    store="MariaDB",
    settings="4 processes of 8 threads, poll_interval 0.01 (by default 0.1), PyMySQL",
    recovery="runs again 5 to 6 min later (alive_threshold), or when a supervisor starts",
    jobs=5_000,
    prepare=_make_firm_tables,
)

PEERS = [
    HUEY_REDIS,
    HUEY_MYSQL,
    HUEY_SQLITE,
    TASKIQ,
    DRAMATIQ,
    CELERY,
    CELERY_LATE,
    CELERY_SOLO,
    RQ,
    SAQ,
    FIRM,
]


def _several(commands: list[str]) -> list[str]:
    """Run all of them at once; SIGTERM goes to each, and each is waited for."""
    starts = []
    for command in commands:
        program, *rest = command.split()
        words = shlex.join([str(ENVIRONMENT / "bin" / program), *rest])
        starts.append(f'{words} & pids="$pids $!"')
    # The first wait ends with the signal, the second with the commands.
    return ["/bin/sh", "-c", "\n".join(["trap 'kill $pids' TERM", *starts, "wait; wait"])]


def versions() -> dict[str, str]:
    """Ask the peers' environment for the versions of what is measured there, by package."""
    names = [
        "celery",
        "dramatiq",
        "firm-queue",
        "hiredis",
        "huey",
        "peewee",
        "redis",
        "rq",
        "saq",
        "taskiq",
        "taskiq-redis",
        "uvloop",
    ]
    program = (
        "import json, sys; from importlib.metadata import version;"
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    done = subprocess.run(
        [str(ENVIRONMENT / "bin/python"), "-c", program, *names],
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, str] = json.loads(done.stdout)
    answer["redis-py"] = answer.pop("redis")  # by the bare name the server is known
    return answer
