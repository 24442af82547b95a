"""New code under load: the workers are replaced one by one, and broken code changes nothing."""

import signal
from pathlib import Path

import pytest

from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.load import Load, wait_for_progress
from tests.acceptance.rows import Rows
from tests.wait import wait_for

SHOP = """
import os
from tests.acceptance.app import journal, queue


@queue.task
def versioned(n: int) -> None:
    with journal.run(n):
        file = os.open("{versions}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, b"%d {version}\\n" % n)
        os.close(file)
"""


class Shop:
    """An application that a test rewrites; its task says of which version it is."""

    def __init__(self, folder: Path) -> None:
        self._code = folder / "shop.py"
        self._versions = folder / "versions"

    def write(self, version: int) -> None:
        self._code.write_text(SHOP.format(versions=self._versions, version=version))

    def break_it(self) -> None:
        self._code.write_text("def versioned(:\n")

    def version_of(self, job: int) -> int:
        """The version that has run the job."""
        lines = dict(line.split() for line in self._versions.read_text().splitlines())
        return int(lines[str(job)])


def wait_until_replaced(daemon: Daemon, before: set[int]) -> None:
    """Wait until none of those workers is left, and all are there again."""
    daemon.wait_until(
        lambda: daemon.is_ready() and not pids(daemon) & before, "every worker is replaced"
    )


def run_one(daemon: Daemon, rows: Rows, load: Load) -> int:
    """Have the shop's task run now; the job's number."""
    job = load.add_job("versioned")
    daemon.wait_until(lambda: rows.job(job)["status"] == 1, "it has run")
    return job


def pids(daemon: Daemon) -> set[int]:
    return {record.pid for record in daemon.workers()}


@pytest.fixture
def shop(mariadb_daemon: Daemon) -> Shop:
    mariadb_daemon.write_config(app="shop:queue")
    shop = Shop(mariadb_daemon.folder)
    shop.write(1)
    return shop


def test_a_reload_under_load_runs_the_new_code_and_loses_nothing(
    mariadb_daemon: Daemon, mariadb_rows: Rows, shop: Shop, figures: Figures
) -> None:
    daemon = mariadb_daemon
    load = Load(mariadb_rows)
    load.add(1000)
    daemon.start()
    for version in (2, 3):
        load.top_up(1000)
        wait_for_progress(daemon)
        before = pids(daemon)
        shop.write(version)
        daemon.signal(signal.SIGHUP)
        wait_until_replaced(daemon, before)
        assert shop.version_of(run_one(daemon, mariadb_rows, load)) == version
        wait_for(lambda: "every child has been replaced" in daemon.log(), 60)
    load.wait_until_done(daemon)
    assert daemon.stop() == 0
    unfinished = load.unfinished(daemon)
    load.judge(daemon, figures, reloads=2, jobs_cut_short=len(unfinished))
    assert not unfinished


def test_broken_new_code_leaves_the_old_workers_at_work(
    mariadb_daemon: Daemon, mariadb_rows: Rows, shop: Shop, figures: Figures
) -> None:
    daemon = mariadb_daemon
    load = Load(mariadb_rows)
    load.add(1000)
    daemon.start()
    before = pids(daemon)
    shop.break_it()
    assert daemon.cli("reload").returncode == 0
    daemon.wait_until(lambda: "reload stopped" in daemon.log(), "the reload has stopped")
    daemon.wait_until(lambda: pids(daemon) == before, "the old workers are left")
    assert shop.version_of(run_one(daemon, mariadb_rows, load)) == 1
    assert any("reload stopped" in line for line in daemon.status()["degraded"])
    load.top_up(500)
    shop.write(2)
    assert daemon.cli("reload").returncode == 0
    wait_until_replaced(daemon, before)
    daemon.wait_until(lambda: not daemon.status()["degraded"], "nothing is degraded any more")
    load.wait_until_done(daemon)
    load.judge(daemon, figures)
    assert not load.unfinished(daemon)
    assert daemon.stop() == 0
