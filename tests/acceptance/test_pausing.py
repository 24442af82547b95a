"""A queue that is paused everywhere: nothing of it begins any more, batches included."""

import subprocess
import time

from qsuper.scoreboard import PHASES
from qsuper.store import pausing
from qsuper.store.database import Database
from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.journal import runs_of
from tests.acceptance.nodes import second_node
from tests.acceptance.rows import Rows

JOBS = 100_000


def pause(rows: Rows) -> int:
    """Returns when, on the journal's clock."""
    connection = Database(rows.url).connect()
    pausing.set_paused(connection, "default", True)
    connection.close()
    return time.monotonic_ns()


def wait_until_paused(daemon: Daemon) -> None:
    daemon.wait_until(
        lambda: all(PHASES[worker.phase] == "paused" for worker in daemon.workers()),
        "all workers pause",
    )


def latest_begin(daemon: Daemon, paused: int) -> float:
    """Seconds after the pause at which the last job began."""
    return max((run.began - paused) / 1e9 for run in runs_of(daemon.events()))


def test_nothing_begins_on_any_node_once_its_queue_is_paused(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    rows.add((n, "urgent", {"n": n}) for n in range(1, JOBS + 1))
    with second_node(daemon) as second:
        for each in (daemon, second):
            each.write_config(queues={"default": {"workers": 2}}, log={"level": "warning"})
            each.start()
        daemon.wait_until(lambda: daemon.written() > 4000, "batches are large")
        batch = max(worker.batch for worker in daemon.workers())
        paused = pause(rows)
        for each in (daemon, second):
            wait_until_paused(each)
        written, left = daemon.written(), rows.count(0)
        daemon.wait_until(lambda: rows.count(2) == 0, "what had not begun went back")
        figures(batch=batch, latest_begin_s=latest_begin(daemon, paused), left=left)
        assert left > 0, "the backlog is large enough"
        assert daemon.written() == written
        assert rows.count(0, 1) == JOBS
        assert daemon.cli("resume", "default").returncode == 0
        daemon.wait_until(lambda: daemon.written() > written, "they go on")


def test_a_pass_ends_when_its_queue_is_paused(daemon: Daemon, rows: Rows, figures: Figures) -> None:
    rows.add((n, "urgent", {"n": n}) for n in range(1, JOBS + 1))
    command = daemon.command("work", "--slice", "0/1", "--limit", str(JOBS))
    with subprocess.Popen(command, cwd=daemon.folder, env=daemon.environ) as one_pass:
        daemon.wait_until(lambda: daemon.written() > 4000, "the pass is under way")
        paused = pause(rows)
        assert one_pass.wait(PATIENCE) == 0
    figures(latest_begin_s=latest_begin(daemon, paused), left=rows.count(0))
    assert rows.count(0) > 0
    assert rows.count(0, 1) == JOBS
