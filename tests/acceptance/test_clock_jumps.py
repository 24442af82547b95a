"""The database's clock is set by an hour: late or early, but nothing is lost, and nothing twice."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qsuper import Queue
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.load import Load, wait_for_progress
from tests.acceptance.rows import Rows
from tests.servers.shifted import ShiftedMariaDB

HOUR = 3600
TIMERS = 100_000
"""The number of the first timer's job."""


@pytest.fixture
def shifted(shifted_mariadb: ShiftedMariaDB, folder: Path) -> Iterator[Daemon]:
    daemon = Daemon(folder, shifted_mariadb.create_database())
    daemon.write_config(node={"lease": "6s"})
    yield daemon
    daemon.clean_up()


def database_ahead(rows: Rows) -> float:
    """Seconds by which the database's clock is ahead of ours."""
    return float(rows.run("SELECT UNIX_TIMESTAMP()")[0][0]) - time.time()


@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_an_hour_more_or_less_loses_nothing_and_runs_nothing_twice(
    shifted: Daemon, shifted_mariadb: ShiftedMariaDB, figures: Figures, hours: int
) -> None:
    rows = Rows(shifted.url)
    # The load's numbers are its own.
    rows.run(f"ALTER TABLE queue AUTO_INCREMENT = {TIMERS}")
    load = Load(rows)
    load.add(600)
    queue = Queue(rows.url)
    shifted.start()
    for n in range(5):
        queue.timer(f"half an hour:{n}", 1800, "urgent", {"n": TIMERS + n})
    wait_for_progress(shifted)
    shifted_mariadb.shift(hours * HOUR)
    assert abs(database_ahead(rows) - hours * HOUR) < 60
    load.add(400)
    wait_for_progress(shifted, 200)
    for n in range(5, 10):
        queue.timer(f"a moment:{n}", 1.0, "urgent", {"n": TIMERS + n})
    fired = 10 if hours > 0 else 5

    def has_fired() -> bool:
        return sum(run.number >= TIMERS for run in shifted.runs()) == fired

    # Forward, what was to wait half an hour is due now; back, it waits for an hour and a half.
    shifted.wait_until(has_fired, f"{fired} timers have fired")
    waiting = "SELECT COUNT(*) FROM queue WHERE status = 4 AND name IS NOT NULL"
    assert rows.run(waiting) == [(10 - fired,)]
    shifted_mariadb.shift(0)
    # Back, what was ready when the clock was set waits until it has been that time again.
    shifted.wait_until(lambda: rows.count(1) == load.last + fired, "all else is done", 300)
    shifted.wait_until(lambda: not shifted.status()["degraded"], "nothing is degraded")
    load.judge(shifted, figures, timers_fired=fired)
    numbers = [run.number for run in shifted.runs() if run.number >= TIMERS]
    assert len(numbers) == len(set(numbers)) == fired
    assert shifted.stop() == 0
