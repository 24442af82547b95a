"""What systemd is told: ready, reloading, stopping, how it is, and that it lives."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.acceptance.service_manager import ServiceManager
from tests.servers import MariaDB
from tests.wait import wait_for

WATCHDOG = 1.0
QUICK = {"connect_timeout": 1, "read_timeout": 1}
HANGS_AFTER = 10.0
"""Seconds without a beat after which a child counts as hanging, with these time-outs."""
SILENCE = 3 * WATCHDOG
IMPORTING = 5
"""Children that import the application: four workers and the keeper."""
APP = """
import os
import time
from pathlib import Path
from tests.acceptance.app import queue

names = [name for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC") if name in os.environ]
Path(f"environ.{os.getpid()}").write_text(" ".join(names))
while Path("hold").exists():
    time.sleep(0.01)
"""


@pytest.fixture
def manager(folder: Path) -> Iterator[ServiceManager]:
    manager = ServiceManager(folder / "notify")
    yield manager
    manager.close()


@pytest.fixture
def watched(daemon: Daemon, manager: ServiceManager) -> Callable[[], None]:
    """Starts a daemon that is under a watchdog, with a database it gives little time."""

    def start() -> None:
        daemon.write_config(store={"url": daemon.url, **QUICK})
        daemon.environ |= manager.environ(WATCHDOG)
        daemon.start()
        daemon.wait_until(lambda: manager.signs_of_life() > 2, "it is alive")

    return start


def in_order(manager: ServiceManager, *names: str) -> list[str]:
    """Those of these fields that were said, in their order."""
    return [name for one in manager.messages() for name in names if name in one.fields]


def imports(daemon: Daemon) -> list[Path]:
    """What each import of the application has noted."""
    return list(daemon.folder.glob("environ.*"))


def test_ready_is_said_when_all_have_booted_and_not_before(
    daemon: Daemon, manager: ServiceManager
) -> None:
    (daemon.folder / "app.py").write_text(APP)
    (daemon.folder / "hold").touch()
    daemon.write_config(app="app:queue")
    daemon.environ |= manager.environ(WATCHDOG)
    daemon.start(ready=False)
    daemon.wait_until(lambda: len(imports(daemon)) == IMPORTING, "all of them import it")
    daemon.wait_until(lambda: manager.signs_of_life() > 2, "the loop turns meanwhile")
    assert not manager.said("READY")
    (daemon.folder / "hold").unlink()
    daemon.wait_until(lambda: manager.said("READY") == ["1"], "it is ready")
    assert daemon.is_ready()
    assert manager.said("MAINPID") == [str(daemon.pid)]
    daemon.wait_until(lambda: "workers: default 4/4" in manager.said("STATUS"), "how it is")
    # What a job starts must not speak for the master.
    assert {path.read_text() for path in imports(daemon)} == {""}


def test_a_child_that_cannot_boot_keeps_nobody_from_being_ready(
    daemon: Daemon, manager: ServiceManager
) -> None:
    (daemon.folder / "app.py").write_text("import no_such_module\n")
    daemon.write_config(app="app:queue")
    daemon.environ |= manager.environ()
    daemon.start(ready=False)
    daemon.wait_until(lambda: manager.said("READY"), "it is ready")
    daemon.wait_until(lambda: "default[0] is FATAL" in manager.said("STATUS")[-1], "it is told")


def test_a_reload_is_told_from_its_begin_to_its_end(
    daemon: Daemon, manager: ServiceManager
) -> None:
    daemon.environ |= manager.environ()
    daemon.start()
    daemon.wait_until(lambda: manager.said("READY"), "it is ready")
    before = time.monotonic_ns() // 1000
    daemon.signal(signal.SIGHUP)
    daemon.wait_until(lambda: len(manager.said("READY")) == 2, "it is ready again")
    assert in_order(manager, "READY", "RELOADING") == ["READY", "RELOADING", "READY"]
    assert "every child has been replaced" in daemon.log()
    (at,) = manager.said("MONOTONIC_USEC")
    assert before <= int(at) <= time.monotonic_ns() // 1000
    # One that is refused is over at once.
    right = daemon.config.read_text()
    daemon.config.write_text("[")
    daemon.signal(signal.SIGHUP)
    daemon.wait_until(lambda: len(manager.said("READY")) == 3, "it is ready as before")
    daemon.wait_until(lambda: "reload refused" in manager.said("STATUS")[-1], "and says why")
    daemon.config.write_text(right)


def test_a_stop_is_told_and_signs_of_life_go_on_while_a_job_is_waited_for(
    daemon: Daemon, rows: Rows, manager: ServiceManager
) -> None:
    daemon.environ |= manager.environ(WATCHDOG)
    daemon.start()
    rows.add([(1, "hold_until_told", {"n": 1})])
    daemon.running(1)
    daemon.signal(signal.SIGTERM)
    daemon.wait_until(lambda: manager.said("STOPPING") == ["1"], "it stops")
    heard = manager.signs_of_life()
    daemon.wait_until(lambda: manager.signs_of_life() > heard + 2, "it lives")
    daemon.wait_until(lambda: manager.said("STATUS")[-1].startswith("stopping; "), "and says so")
    daemon.tell(1)
    assert daemon.master is not None
    assert daemon.master.wait(PATIENCE) == 0
    assert manager.said("STOPPING") == ["1"]


def test_a_frozen_master_gives_no_sign_of_life(
    daemon: Daemon, manager: ServiceManager, watched: Callable[[], None]
) -> None:
    watched()
    daemon.signal(signal.SIGSTOP)
    daemon.wait_until(lambda: manager.silent_for() > SILENCE, "it is silent")
    heard = manager.signs_of_life()
    daemon.signal(signal.SIGCONT)
    daemon.wait_until(lambda: manager.signs_of_life() > heard, "it lives again")


@pytest.mark.parametrize("role", ["scheduler", "keeper"])
def test_a_frozen_child_without_whom_nothing_is_settled_ends_the_signs_of_life(
    daemon: Daemon, manager: ServiceManager, watched: Callable[[], None], role: str
) -> None:
    watched()
    child = daemon.child(role)
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    daemon.wait_until(lambda: manager.silent_for() > SILENCE, "systemd would end it soon")
    heard = manager.signs_of_life()
    os.kill(child.pid, signal.SIGCONT)
    daemon.wait_until(lambda: manager.signs_of_life() > heard, "it lives again")


def test_a_job_that_takes_its_time_is_no_reason_to_be_silent(
    daemon: Daemon, rows: Rows, manager: ServiceManager, watched: Callable[[], None]
) -> None:
    watched()
    rows.add([(n, "hold_until_told", {"n": n}) for n in range(1, 5)])
    daemon.wait_until(lambda: len(daemon.in_jobs()) == 4, "all workers are held")
    lives_on(daemon, manager)


def lives_on(daemon: Daemon, manager: ServiceManager) -> None:
    """For longer than a child may be silent."""
    until = time.monotonic() + HANGS_AFTER + SILENCE
    wait_for(lambda: time.monotonic() > until, PATIENCE)
    heard = manager.signs_of_life()
    daemon.wait_until(lambda: manager.signs_of_life() > heard + 3, "it lives")


@pytest.mark.parametrize("how", ["frozen", "gone"])
def test_a_database_that_is_away_is_no_reason_to_be_killed(
    own_mariadb: Callable[..., MariaDB],
    folder: Path,
    manager: ServiceManager,
    how: str,
    figures: Figures,
) -> None:
    server = own_mariadb()
    rows = Rows(server.create_database())
    daemon = Daemon(folder, rows.url)
    try:
        daemon.write_config(store={"url": daemon.url, **QUICK})
        daemon.environ |= manager.environ(WATCHDOG)
        daemon.start()
        server.freeze() if how == "frozen" else server.kill()
        lives_on(daemon, manager)
        figures(database=how, seconds=HANGS_AFTER + SILENCE, longest_silence=longest(manager))
    finally:
        daemon.clean_up()
        if how == "frozen":
            server.thaw()


def longest(manager: ServiceManager) -> float:
    """The longest time between two signs of life."""
    at = [one.at for one in manager.messages() if "WATCHDOG" in one.fields]
    return max(later - earlier for earlier, later in pairwise(at))


def test_one_that_stands_by_is_ready_and_lives(daemon: Daemon, manager: ServiceManager) -> None:
    daemon.start("--wait")
    other = Daemon(daemon.folder, daemon.url)
    other.write_config()
    try:
        other.environ |= manager.environ(WATCHDOG)
        other.start("--wait", ready=False)
        other.wait_until(lambda: manager.said("READY") == ["1"], "it is ready")
        other.wait_until(lambda: manager.signs_of_life() > 2, "it lives")
        assert manager.said("STATUS")[0].startswith("standing by: a master runs in")
        daemon.kill_master()
        other.wait_until(other.is_ready, "it has taken over")
        other.wait_until(lambda: manager.said("STATUS")[-1] == "workers: default 4/4", "it says so")
        assert other.stop() == 0
    finally:
        other.clean_up()


def test_a_name_in_the_kernel_is_an_address_too(daemon: Daemon, figures: Figures) -> None:
    manager = ServiceManager(f"@qsuper-test-{os.getpid()}")
    try:
        daemon.environ |= manager.environ()
        daemon.start()
        daemon.wait_until(lambda: manager.said("READY") == ["1"], "it is ready")
    finally:
        manager.close()
