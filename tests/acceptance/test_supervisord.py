"""A real supervisord keeps the master alive: never two at work, never none for long."""

import os
import random
import signal
import time
from collections.abc import Iterator

import pytest

from tests.acceptance import process_table
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.journal import Death
from tests.acceptance.load import Load, wait_for_progress
from tests.acceptance.reigns import gaps, overlapping_reigns, reigns_of, signed
from tests.acceptance.rows import Rows
from tests.acceptance.supervised import Supervisord

APP = "tests.acceptance.trees_app:queue"
WORKERS = 4
MASSACRES = 20
STARTSECS = 1.0
"""As in the file: what dies sooner has not started, and supervisord waits longer each time."""
LONGEST_GAP = 15.0
"""Seconds without a master at which the run is broken; what it takes is among the figures."""


@pytest.fixture
def supervisord(mariadb_daemon: Daemon) -> Iterator[Supervisord]:
    mariadb_daemon.write_config(
        app=APP, queues={"default": {"workers": WORKERS}}, log={"level": "warning"}
    )
    supervisord = Supervisord(mariadb_daemon)
    yield supervisord
    supervisord.clean_up()


@pytest.fixture
def load(mariadb_rows: Rows) -> Load:
    return Load(mariadb_rows, longest=0.1)


def nonce(daemon: Daemon) -> str:
    """Names the master that works now."""
    board = daemon.board()
    return board.header.nonce if board else ""


def master(daemon: Daemon) -> int:
    board = daemon.board()
    return board.header.master_pid if board else 0


def age(daemon: Daemon) -> float:
    """Seconds for which the master has run."""
    board = daemon.board()
    return time.time() - board.header.started if board else 0.0


def wait_for_another(daemon: Daemon, before: str) -> None:
    """Wait until another master's workers are at work."""
    daemon.wait_until(lambda: nonce(daemon) != before, "another master runs")
    wait_for_progress(daemon)


def judge(load: Load, daemon: Daemon, figures: Figures, deaths: list[Death], masters: int) -> None:
    """The load's own promises; and one master after the other, none of them missing for long."""
    load.wait_until_done(daemon)
    reigns = reigns_of(daemon.events(), signed(daemon.journal))
    pauses = gaps(reigns)
    load.judge(
        daemon,
        figures,
        tuple(deaths),
        masters=len(reigns),
        two_at_work=len(overlapping_reigns(reigns)),
        longest_gap=max(pauses),
        mean_gap=sum(pauses) / len(pauses),
    )
    assert not overlapping_reigns(reigns)
    assert len(reigns) >= masters
    assert max(pauses) < LONGEST_GAP


def test_a_killed_master_is_started_again(
    supervisord: Supervisord, load: Load, figures: Figures
) -> None:
    daemon = supervisord.daemon
    load.add(2000)
    stuck = load.add_job("hold_the_interpreter")
    supervisord.start()
    daemon.running(stuck)
    wait_for_progress(daemon)
    first = nonce(daemon)
    left = process_table.family(master(daemon)) | process_table.tagged(first)
    assert len(left) >= WORKERS + 3, "the workers, scheduler, keeper, and the stuck job's daemon"
    os.kill(master(daemon), signal.SIGKILL)
    killed_at = time.monotonic()
    daemon.wait_until(lambda: not process_table.living(left), "nothing of the first is left")
    gone_after = time.monotonic() - killed_at
    figures(processes=len(left), gone_after=gone_after)
    wait_for_another(daemon, first)
    judge(load, daemon, figures, [], masters=2)
    assert not process_table.living(left | process_table.tagged(first))


def test_a_killed_supervisord_never_makes_two_masters_work(
    supervisord: Supervisord, load: Load, figures: Figures
) -> None:
    daemon = supervisord.daemon
    load.add(2000)
    supervisord.start()
    for _ in range(3):
        wait_for_progress(daemon)
        before = nonce(daemon)
        supervisord.kill()
        load.top_up(2000)
        wait_for_progress(daemon, lines=100)
        assert nonce(daemon) == before, "the master works on without supervisord"
        supervisord.start()
        wait_for_another(daemon, before)
        daemon.wait_until(lambda: len(supervisord.masters()) == 1, "the first one has left")
    judge(load, daemon, figures, [], masters=4)
    assert not load.unfinished(daemon), "handing over cuts no job"


def test_twenty_massacres_lose_nothing(
    supervisord: Supervisord, load: Load, figures: Figures
) -> None:
    daemon = supervisord.daemon
    rng = random.Random(20)
    load.add(1000)
    supervisord.start()
    deaths: list[Death] = []
    for _ in range(MASSACRES):
        wait_for_progress(daemon, lines=rng.randrange(20, 200))
        daemon.wait_until(lambda: age(daemon) > STARTSECS, "supervisord counts it as started")
        before = nonce(daemon)
        deaths += massacre(daemon)
        load.top_up(500)
        wait_for_another(daemon, before)
    judge(load, daemon, figures, deaths, masters=MASSACRES + 1)


def massacre(daemon: Daemon) -> list[Death]:
    """SIGKILL for the master and each of its children, as near to one instant as can be."""
    pids = [master(daemon), *(record.pid for record in daemon.records() if not record.ended)]
    deaths = [Death(pid, time.monotonic_ns()) for pid in pids if pid]
    for death in deaths:
        try:
            os.kill(death.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return deaths


def test_supervisorctl_starts_and_stops_it(
    supervisord: Supervisord, load: Load, figures: Figures
) -> None:
    daemon = supervisord.daemon
    load.add(500)
    supervisord.start()
    wait_for_progress(daemon)
    daemon.wait_until(lambda: "RUNNING" in supervisord.ctl("status", "qsuper"), "it says so")
    private = daemon.folder / "var" / "supervisor.sock"
    assert private.stat().st_mode & 0o077 == 0
    before = nonce(daemon)
    assert "qsuper: stopped" in supervisord.ctl("stop", "qsuper")
    assert "STOPPED" in supervisord.ctl("status", "qsuper")
    assert not supervisord.masters()
    assert not load.unfinished(daemon), "a stop waits for the jobs under way"
    load.top_up(500)
    assert "qsuper: started" in supervisord.ctl("start", "qsuper")
    wait_for_another(daemon, before)
    # `qsuper stop` was asked for, too: supervisord does not start it again.
    assert "stopped after" in daemon.cli("stop").stdout
    daemon.wait_until(lambda: "EXITED" in supervisord.ctl("status", "qsuper"), "it has ended")
    supervisord.ctl("start", "qsuper")
    judge(load, daemon, figures, [], masters=2)
    assert "Shut down" in supervisord.ctl("shutdown")
    daemon.wait_until(lambda: not supervisord.masters(), "all has ended")
