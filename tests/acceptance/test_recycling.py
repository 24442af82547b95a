"""Workers make room for fresh ones by jobs done, by age and by memory, and lose nothing."""

from pathlib import Path
from typing import Any

import pytest

from qsuper.states import State
from tests.acceptance import journal
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows

WORKERS = 3
APP = """
import os, time
from pathlib import Path
from qsuper import Queue
from tests.acceptance.journal import Journal

queue = Queue()
journal = Journal(Path(os.environ["QSUPER_TEST_JOURNAL"]))
hoard = []

@queue.task
def work(n, seconds):
    with journal.run(n):
        time.sleep(seconds)

@queue.task
def leak(n, seconds):
    with journal.run(n):
        hoard.append(bytearray(os.urandom(4096)) * 512)
        time.sleep(seconds)
"""
LIMITS: dict[str, tuple[dict[str, Any], str, int, float]] = {
    "max_jobs": ({"max_jobs": 40}, "work", 600, 0.002),
    "max_age": ({"max_age": 1}, "work", 900, 0.01),
    # Memory is looked at every 5 seconds: the load must last for longer.
    "max_memory": ({"max_memory": "20MB"}, "leak", 700, 0.03),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_workers_are_replaced_when_they_reach_their_limit_and_nothing_is_lost(
    limit: str, mariadb_daemon: Daemon, mariadb_rows: Rows, folder: Path, figures: Figures
) -> None:
    daemon, rows = mariadb_daemon, mariadb_rows
    limits, task, jobs, seconds = LIMITS[limit]
    (folder / "shop.py").write_text(APP)
    daemon.write_config(app="shop:queue", queues={"default": {"workers": WORKERS}}, worker=limits)
    daemon.start()
    rows.add((n, task, {"n": n, "seconds": seconds}) for n in range(1, jobs + 1))
    daemon.wait_until(lambda: rows.count(State.DONE) == jobs, "all jobs are done")
    daemon.wait_until(lambda: len(daemon.workers()) == WORKERS, "all places are filled")

    runs = daemon.runs()
    workers = len({run.pid for run in runs})
    lost = journal.lost(range(1, jobs + 1), runs)
    again = journal.again_after_ack(rows.moves(), runs)
    overlapping = journal.overlapping(daemon.events())
    attempts = rows.run("SELECT MAX(attempt) FROM queue")[0][0]
    figures(jobs=jobs, workers_used=workers, lost=len(lost), overlapping=len(overlapping))
    assert workers >= 2 * WORKERS
    assert not lost
    assert not again
    assert not overlapping
    assert attempts == 1, "a recycled worker has burnt an attempt"
    log = daemon.log()
    assert "made room for a fresh one (exit 10): STOPPED" in log
    assert "BACKOFF" not in log
