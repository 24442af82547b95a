"""What ten idle workers cost, against a bare loop that looks as often."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import make_url

from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import MariaDB
from tests.wait import wait_for

WORKERS = 10
SETTLED = 2.0
"""Seconds after which nothing of the start is still going on."""
COUNTED = 6.0
"""Seconds over which statements are counted: the rarest chores come every 5."""
WINDOW = 10.0
"""Seconds over which CPU time is taken: the kernel tells it in steps of 10 ms."""
STATEMENTS_MOST = 80.0
ATTEMPTS = 3
"""A machine that does something else for a moment has not shown anything yet."""

BARE_LOOP = """
import sys, time, pymysql
port, database, rate = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
connection = pymysql.connect(
    host="127.0.0.1", port=port, user="root", database=database, autocommit=True
)
cursor = connection.cursor()
due = time.monotonic()
while True:
    cursor.execute("SELECT id FROM queue WHERE queue = 'default' AND status = 0 LIMIT 1")
    cursor.fetchall()
    due += 1 / rate
    time.sleep(max(0.0, due - time.monotonic()))
"""


def test_ten_idle_workers_cost_at_most_three_bare_loops(
    mariadb: MariaDB, mariadb_daemon: Daemon, figures: Figures
) -> None:
    daemon = mariadb_daemon
    idle(daemon)
    for _ in range(ATTEMPTS):
        rate = statements_a_second(mariadb)
        with bare_loop(mariadb, daemon, rate) as loop:
            spent = measure({**processes(daemon), "bare_loop": loop})
        bare = spent.pop("bare_loop")
        total = sum(spent.values())
        figures(statements_per_s=rate, cpu_ms_per_s=total, bare_loop_ms_per_s=bare)
        figures(ratio=total / bare, **spent)
        if rate <= STATEMENTS_MOST and total <= 3 * bare:
            break
    assert rate <= STATEMENTS_MOST
    assert total <= 3 * bare, f"{total / bare:.1f} times the CPU of a bare loop"


def test_ten_idle_workers_on_sqlite(folder: Path, figures: Figures) -> None:
    """For information: there is no bare loop to compare with where there is no server."""
    rows = Rows(f"sqlite:///{folder}/qsuper.db")
    daemon = Daemon(folder, rows.url)
    try:
        idle(daemon)
        spent = measure(processes(daemon))
    finally:
        daemon.clean_up()
    figures(cpu_ms_per_s=sum(spent.values()), **spent)
    assert sum(spent.values()) < 1000, "a whole core for doing nothing"


def idle(daemon: Daemon) -> None:
    daemon.write_config(queues={"default": {"workers": WORKERS}})
    daemon.start()
    rest(SETTLED)


def processes(daemon: Daemon) -> dict[str, psutil.Process]:
    """All of the daemon by name."""
    found = {"master": psutil.Process(daemon.pid)}
    for record in daemon.records():
        if not record.ended:
            place = f"worker_{record.number}" if record.role == "worker" else record.role
            found[place] = psutil.Process(record.pid)
    assert len(found) == WORKERS + 3
    return found


def statements_a_second(server: MariaDB) -> float:
    """What is asked of the server while nobody but the daemon does."""
    began, before = time.monotonic(), server.statement_count()
    rest(COUNTED)
    return (server.statement_count() - before) / (time.monotonic() - began)


def measure(found: dict[str, psutil.Process]) -> dict[str, float]:
    """CPU milliseconds a second of each, over one window for all."""
    began = time.monotonic()
    before = {name: cpu_seconds(process) for name, process in found.items()}
    rest(WINDOW)
    seconds = time.monotonic() - began
    return {
        name: (cpu_seconds(process) - before[name]) * 1e3 / seconds
        for name, process in found.items()
    }


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def bare_loop(server: MariaDB, daemon: Daemon, rate: float) -> Iterator[psutil.Process]:
    """One process that does nothing but look, as often as the whole daemon asks."""
    database = str(make_url(daemon.url).database)
    words = [sys.executable, "-c", BARE_LOOP, str(server.port), database, str(rate)]
    with subprocess.Popen(words) as loop:
        try:
            process = psutil.Process(loop.pid)
            wait_for(lambda: connected(process), PATIENCE, "the bare loop looks")
            rest(1.0)
            yield process
        finally:
            loop.kill()


def connected(process: psutil.Process) -> bool:
    return any(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections("tcp"))


def rest(seconds: float) -> None:
    """Let time go by: what is measured here is what happens meanwhile."""
    ends = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= ends, seconds + PATIENCE)
