"""`scripts/bench timers`: prints the figures; exit code 1 when one is beyond its bound."""

import os
import random
import shutil
import statistics
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

from bench.timers.app import LATENESS_VARIABLE
from bench.timers.poller import TIMERS
from qsuper import Queue
from qsuper.store import schema
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, Database
from tests.acceptance.daemon import Daemon
from tests.servers import MariaDB, Redis
from tests.servers.mariadb import make_template
from tests.wait import wait_for

ROUNDS = 3
COUNT, OVER = 1000, 10.0
"""Timers of one round, and the seconds over which they fall due."""
PENDING = 1_000_000
CROWD = 100_000
SERVER = {"innodb-buffer-pool-size": "1G", "innodb-log-file-size": "512M"}

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


def main() -> int:
    print(__doc__.splitlines()[0].partition(":")[0].strip("`"), "on", os.cpu_count(), "cores")
    template = make_template()
    mariadb, zset = MariaDB(template, **SERVER), Redis()
    try:
        mariadb.start()
        zset.start()
        verdicts = [*lateness(mariadb, zset), crowd(mariadb)]
    finally:
        mariadb.remove()
        zset.remove()
        shutil.rmtree(template.parent)
    return 0 if all(verdicts) else 1


def lateness(mariadb: MariaDB, zset: Redis) -> Iterator[bool]:
    """From due to the handler's start, with nothing else pending and with a million."""
    with daemon_over(mariadb.create_database(), workers=4) as daemon, poller(zset) as bare_file:
        print(f"{COUNT} timers over {OVER:g} s, {ROUNDS} rounds; ms from due to handler start")
        print(f"{'':24}{'p50':>8}{'p99':>8}{'max':>8}   p99 by the poller's")
        alone, bare = rounds(daemon, zset, bare_file)
        show("ZSET poller at 10 ms", bare, bare)
        ratio = show("qsuper", alone, bare)
        yield verdict("qsuper's p99 by the poller's", ratio, 2.0)
        began = time.monotonic()
        with connected(daemon.url) as connection:
            connection.run(_PENDING)
        print(f"({PENDING} more timers written in {time.monotonic() - began:.0f} s)")
        beside, bare = rounds(daemon, zset, bare_file)
        show("ZSET poller at 10 ms", bare, bare)
        show(f"qsuper, {PENDING} pending", beside, bare)
        ratio = percentile(beside, 99) / percentile(alone, 99)
        yield verdict("qsuper's p99 by its p99 without them", ratio, 1.5)


def rounds(daemon: Daemon, zset: Redis, bare_file: Path) -> tuple[list[float], list[float]]:
    """Both at once, at different moments; the lateness of each, in ms."""
    ours_file = Path(daemon.environ[LATENESS_VARIABLE])
    for file in (ours_file, bare_file):
        file.write_bytes(b"")
    for number in range(1, ROUNDS + 1):
        set_timers(daemon.url, zset)
        for file in (ours_file, bare_file):
            wait_for(partial(has_lines, file, COUNT * number), 120, f"all have fired: {file}")
    return read(ours_file), read(bare_file)


def set_timers(url: str, zset: Redis) -> None:
    start = time.time() + 5.0
    queue = Queue(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        for number in range(COUNT):
            due = start + random.uniform(0.0, OVER)
            queue.timer(
                f"t:{number}", at=due, task="stamp", param={"due": due}, connection=connection
            )
    engine.dispose()
    with redis.Redis.from_url(zset.url()) as client:
        client.zadd(
            TIMERS, {f"t:{number}": start + random.uniform(0.0, OVER) for number in range(COUNT)}
        )


def crowd(mariadb: MariaDB) -> bool:
    """Everything due at one moment: how long until all of it is ready, nobody claiming."""
    print(f"\n{CROWD} timers due at one moment; seconds until all are ready")
    times: dict[str, list[float]] = {"bare": [], "qsuper": []}
    for _ in range(ROUNDS):
        times["bare"].append(crowd_bare(mariadb))
        times["qsuper"].append(crowd_promoted(mariadb))
    for name, seconds in times.items():
        print(f"{name:24}" + "".join(f"{one:8.2f}" for one in seconds))
    ratio = statistics.median(times["qsuper"]) / statistics.median(times["bare"])
    return verdict("qsuper by bare UPDATEs of 1,000, medians", ratio, 2.0)


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


def show(name: str, values: list[float], bare: list[float]) -> float:
    """One line of the table; the ratio of the two p99."""
    ratio = percentile(values, 99) / percentile(bare, 99)
    figures = [percentile(values, 50), percentile(values, 99), max(values)]
    print(f"{name:24}" + "".join(f"{one:8.1f}" for one in figures) + f"   {ratio:.2f}", flush=True)
    return ratio


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def verdict(what: str, ratio: float, most: float) -> bool:
    met = ratio <= most
    print(f"{'met   ' if met else 'MISSED'}  {what}: {ratio:.2f} (at most {most:g})", flush=True)
    return met


if __name__ == "__main__":
    sys.exit(main())
