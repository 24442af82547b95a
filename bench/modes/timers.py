"""Timers: how late they fire, beside a bare poller of a sorted set; and how soon a crowd of them,
all due at one moment, is ready.
"""

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import redis
from sqlalchemy import create_engine

from bench.effort import Effort
from bench.figures import Result, Series, percentile, ratio
from bench.rig import Rig
from bench.timers.app import LATENESS_VARIABLE
from bench.timers.poller import TIMERS
from qsuper import Queue
from qsuper.store import schema
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, Database
from tests.acceptance.daemon import Daemon
from tests.servers import MariaDB, Redis
from tests.wait import wait_for

COUNT, OVER = 1000, 10.0
"""Timers of one round, and the seconds over which they fall due."""
PENDING = 1_000_000
CROWD = 100_000
OURS, POLLER = "qsuper", "ZSET poller each 10 ms"
BESIDE = f"beside {PENDING:,} pending"

_PENDING = Statement(
    f"""
    INSERT INTO queue (task, param, name, status, run_at)
    SELECT 'stamp', '{{"due": 0}}', CONCAT('pending:', seq), 4,
        CURRENT_TIMESTAMP(6) + INTERVAL 86400 + seq SECOND FROM seq_1_to_{PENDING}
    """
)
_CROWD = Statement(
    f"""
    INSERT INTO queue (task, param, name, status, run_at)
    SELECT 'stamp', '', CONCAT('crowd:', seq), 4, FROM_UNIXTIME(:due) FROM seq_1_to_{CROWD}
    """
)
_BARE = Statement(
    """
    UPDATE queue SET status = 0
    WHERE id BETWEEN :first AND :first + 999 AND status = 4 AND run_at <= {now}
    """
)
_LEFT = Statement("SELECT 1 FROM queue WHERE queue = 'default' AND status = 4 LIMIT 1")
_READY = Statement("SELECT COUNT(*) FROM queue WHERE status = 0")


def run(rig: Rig, effort: Effort) -> Result:
    result = Result("timers")
    lateness(rig, effort, result)
    crowds(rig, effort, result)
    return result


def lateness(rig: Rig, effort: Effort, result: Result) -> None:
    """From due to the handler's start, with nothing else pending and with a million."""
    with (
        daemon_over(rig.mariadb.create_database(), workers=4) as daemon,
        poller(rig.redis) as bare_file,
    ):
        for which in ("alone", BESIDE):
            if which == BESIDE:
                with connected(daemon.url) as connection:
                    connection.run(_PENDING)
            ours, bare = both(daemon, rig.redis, bare_file, effort, which)
            result.series += ours + bare
            result.ratios.append(
                ratio(
                    f"lateness of timers, p99, {which}, by the poller's",
                    ours[1],
                    bare[1],
                    2.0,
                    at_least=False,
                )
            )
    alone, beside = (result.get(f"{OURS}, {which}, p99") for which in ("alone", BESIDE))
    result.ratios.append(
        ratio(f"lateness of timers, p99, {BESIDE}, by alone", beside, alone, 1.5, at_least=False)
    )


def both(
    daemon: Daemon, zset: Redis, bare_file: Path, effort: Effort, which: str
) -> tuple[list[Series], list[Series]]:
    """p50 and p99 of each, at the same time and at different moments."""
    ours_file = Path(daemon.environ[LATENESS_VARIABLE])
    files = {OURS: ours_file, POLLER: bare_file}
    found = {
        name: [Series(f"{name}, {which}, {part}", "ms") for part in ("p50", "p99")]
        for name in files
    }
    count = effort.jobs(COUNT)
    for number in range(1, effort.rounds + 1):
        for file in files.values():
            file.write_bytes(b"")
        set_timers(daemon.url, zset, count)
        for name, file in files.items():
            wait_for(partial(has_lines, file, count), 120, f"all have fired: {file}")
            late = read(file)
            for series, percent in zip(found[name], (50, 99), strict=True):
                series.values.append(percentile(late, percent))
            middle, tail = (series.values[-1] for series in found[name])
            words = f"{name}, {which}"
            print(
                f"  {number}/{effort.rounds}  {words:48}{middle:>8.2f}{tail:>8.2f} ms", flush=True
            )
    return found[OURS], found[POLLER]


def crowds(rig: Rig, effort: Effort, result: Result) -> None:
    """Everything due at one moment: how long until all of it is ready, nobody claiming."""
    name = f"{CROWD:,} due at once, seconds until ready"
    bare, ours = Series(f"{name}, bare UPDATEs of 1,000", "s"), Series(f"{name}, qsuper", "s")
    for number in range(effort.rounds):
        bare.values.append(crowd_bare(rig.mariadb))
        ours.values.append(crowd_promoted(rig.mariadb))
        words = f"{bare.values[-1]:>8.2f}{ours.values[-1]:>8.2f} s (bare, qsuper)"
        print(f"  {number + 1}/{effort.rounds}  {'a crowd':48}{words}", flush=True)
    result.series += [bare, ours]
    result.ratios.append(
        ratio("a crowd of timers is ready, by bare UPDATEs", ours, bare, 2.0, at_least=False)
    )


def set_timers(url: str, zset: Redis, count: int) -> None:
    start = time.time() + 5.0
    queue = Queue(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        for number in range(count):
            due = start + random.uniform(0.0, OVER)
            queue.timer(
                f"t:{number}", at=due, task="stamp", param={"due": due}, connection=connection
            )
    engine.dispose()
    with redis.Redis.from_url(zset.url()) as client:
        client.zadd(
            TIMERS, {f"t:{number}": start + random.uniform(0.0, OVER) for number in range(count)}
        )


def crowd_bare(mariadb: MariaDB) -> float:
    url = mariadb.create_database()
    schema.upgrade(Database(url))
    with connected(url) as connection:
        connection.run(_CROWD, due=time.time())
        began = time.monotonic()
        for first in range(1, CROWD, 1000):
            assert connection.run(_BARE, first=first) == 1000
        seconds = time.monotonic() - began
    mariadb.drop(url)
    return seconds


def crowd_promoted(mariadb: MariaDB) -> float:
    url = mariadb.create_database()
    with daemon_over(url, workers=1) as daemon, connected(url) as connection:
        assert daemon.cli("pause", "default").returncode == 0
        due = time.time() + 15.0
        connection.run(_CROWD, due=due)
        assert time.time() < due, "the crowd was written too slowly"
        time.sleep(due - time.time())
        while connection.row(_LEFT):
            time.sleep(0.02)
        seconds = time.time() - due
        assert connection.row(_READY)[0] == CROWD
    mariadb.drop(url)
    return seconds


@contextmanager
def daemon_over(url: str, *, workers: int) -> Iterator[Daemon]:
    schema.upgrade(Database(url))
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        folder = Path(name)
        daemon = Daemon(folder, url)
        daemon.write_config(
            app="bench.timers.app:queue",
            queues={"default": {"workers": workers}},
            log={"level": "warning"},
        )
        daemon.environ[LATENESS_VARIABLE] = str(folder / "lateness")
        try:
            daemon.start()
            yield daemon
        finally:
            daemon.clean_up()


@contextmanager
def poller(zset: Redis) -> Iterator[Path]:
    """The bare loop; the file in which it writes how late it was."""
    file = zset.folder / "lateness"
    words = [sys.executable, "-m", "bench.timers.poller", zset.url(), str(file)]
    with subprocess.Popen(words) as process:
        try:
            yield file
        finally:
            process.kill()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    connection = Database(url, read_timeout=600).connect()
    try:
        yield connection
    finally:
        connection.close()


def has_lines(file: Path, count: int) -> bool:
    return len(read(file)) == count


def read(file: Path) -> list[float]:
    """Milliseconds."""
    return [float(line) * 1e3 for line in file.read_text().splitlines()] if file.exists() else []
