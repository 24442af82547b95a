"""A second `qsuper run` refuses, or with --wait stands by and takes over."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.load import Load, wait_for_progress
from tests.acceptance.reigns import gaps, overlapping_reigns, reigns_of, signed
from tests.acceptance.rows import Rows

APP = "tests.acceptance.trees_app:queue"
TAKEOVERS = 5
PROMISE = 1.0
"""Seconds from the death of the first master until the next one works."""


@pytest.fixture
def another(mariadb_daemon: Daemon, mariadb_rows: Rows) -> Iterator[Callable[[], Daemon]]:
    """Another master of the same state directory, not yet started."""
    daemons: list[Daemon] = []

    def make() -> Daemon:
        daemons.append(Daemon(mariadb_daemon.folder, mariadb_rows.url))
        daemons[-1].write_config(app=APP)
        return daemons[-1]

    yield make
    for daemon in daemons:
        daemon.clean_up()


def start_standby(daemon: Daemon) -> Daemon:
    """Start it while another one works, and wait until it has said so."""
    daemon.start("--wait", ready=False)
    daemon.wait_until(lambda: f"master {daemon.pid} standing by" in daemon.log(), "it stands by")
    return daemon


def wait_until_works(daemon: Daemon) -> None:
    def works() -> bool:
        board = daemon.board()
        return board is not None and board.header.master_pid == daemon.pid

    daemon.wait_until(works, "it has taken over")


def test_a_second_master_refuses_and_says_who_runs(another: Callable[[], Daemon]) -> None:
    first = another()
    first.start()
    second = first.cli("run")
    assert second.returncode not in (0, None)
    assert f"a master runs in {first.state} already: pid {first.pid}" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert first.stop() == 0


def test_a_standby_takes_over_within_a_second(
    another: Callable[[], Daemon], mariadb_rows: Rows, figures: Figures
) -> None:
    load = Load(mariadb_rows)
    load.add(2000)
    working = another()
    working.start("--wait")
    seconds: list[float] = []
    for _ in range(TAKEOVERS):
        standby = start_standby(another())
        load.top_up(1000)
        wait_for_progress(working)
        working.kill_master()
        killed_at = time.monotonic()
        wait_until_works(standby)
        seconds.append(time.monotonic() - killed_at)
        working = standby
        wait_for_progress(working)
    load.wait_until_done(working)
    assert working.stop() == 0
    reigns = reigns_of(working.events(), signed(working.journal))
    load.judge(
        working,
        figures,
        takeovers=TAKEOVERS,
        two_at_work=len(overlapping_reigns(reigns)),
        quickest=min(seconds),
        slowest=max(seconds),
        longest_without_a_job=max(gaps(reigns)),
    )
    assert not overlapping_reigns(reigns)
    assert len(reigns) == TAKEOVERS + 1
    # What a busy machine adds to one of them is not the program's.
    assert min(seconds) < PROMISE


def test_stop_ends_the_one_that_stands_by_too(
    another: Callable[[], Daemon], mariadb_rows: Rows, figures: Figures
) -> None:
    load = Load(mariadb_rows)
    first = another()
    first.start("--wait")
    masters = [first, start_standby(another()), start_standby(another())]
    job = load.add_job("work", seconds=1.0)
    first.running(job)
    stopped = first.cli("stop")
    assert stopped.returncode == 0
    assert "stopped after" in stopped.stdout
    codes = [one.master.wait(30) for one in masters if one.master is not None]
    assert codes == [0, 0, 0]
    assert mariadb_rows.job(job)["status"] == 1, "the job under way was finished"
    load.judge(first, figures)
