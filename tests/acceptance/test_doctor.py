"""`qsuper doctor` beside daemons that work, and beside servers that do not."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.need import VERBS, Need
from qsuper.config import load
from qsuper.tasks.registry import Registry
from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.acceptance.supervised import Supervisord
from tests.servers import MariaDB, Redis

LONGEST = 40.0
"""Seconds that a call may take at most, whatever hangs: each subject has 20."""


@pytest.fixture
def supervisord(mariadb_daemon: Daemon) -> Iterator[Supervisord]:
    supervisord = Supervisord(mariadb_daemon)
    yield supervisord
    supervisord.clean_up()


def doctor(daemon: Daemon) -> dict[str, Any]:
    """What `qsuper doctor --json` prints; its exit code fits."""
    done = daemon.cli("doctor", "--json")
    assert "Traceback" not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if found["bad"] else 0)
    return found


def said(found: dict[str, Any], level: str, *subjects: str) -> list[str]:
    return [
        one["says"]
        for one in found["findings"]
        if one["level"] == level and (not subjects or one["subject"] in subjects)
    ]


def test_a_daemon_that_works_is_well_and_is_left_alone(daemon: Daemon, rows: Rows) -> None:
    rows.add([(number, "work", {"n": number}) for number in range(1, 51)])
    daemon.start()
    daemon.wait_until(lambda: rows.count(1) == 50, "all jobs are done")
    moves, files = rows.moves(), sorted(path.name for path in daemon.folder.iterdir())
    found = doctor(daemon)
    assert found["bad"] == 0, found
    assert f"pid {daemon.pid} runs, nothing is degraded" in said(found, "ok", "daemon")
    assert any("claim uses index claim" in words for words in said(found, "ok", "database"))
    assert rows.moves() == moves
    assert sorted(path.name for path in daemon.folder.iterdir()) == files
    assert daemon.stop() == 0


def test_all_is_readable_at_80_columns(daemon: Daemon) -> None:
    daemon.environ["COLUMNS"] = "80"
    done = daemon.cli("doctor")
    assert done.returncode == 0, done.stdout
    assert not done.stderr
    lines = done.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert "0 bad" in lines[-1]


def test_as_many_connections_are_counted_as_are_made(
    mariadb: MariaDB, mariadb_daemon: Daemon, redis_server: Redis, figures: Figures
) -> None:
    daemon = mariadb_daemon
    daemon.write_config(
        redis={"url": redis_server.url(3)},
        queues={"default": {"workers": 3}, "mail": {"workers": 2}},
    )
    config = load(daemon.config, environ={})
    need = Need.of(Case(config, Registry(), None))
    name = daemon.url.rpartition("/")[2]

    def connections() -> int:
        sql = f"SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{name}'"
        return int(mariadb.query(sql)[0][0])

    daemon.start()
    at_rest = need.least - VERBS
    daemon.wait_until(lambda: connections() == at_rest, f"{at_rest} connections are there")
    figures(at_rest=at_rest, counted=connections(), most=need.most)
    assert daemon.stop() == 0


def test_servers_that_are_away_or_frozen_are_findings_and_hold_nobody_up(
    own_mariadb: Callable[..., MariaDB],
    own_redis: Callable[..., Redis],
    folder: Path,
    figures: Figures,
) -> None:
    server, keys = own_mariadb(), own_redis()
    daemon = Daemon(folder, server.create_database())
    daemon.write_config(redis={"url": keys.url()})
    took = {}
    for one in (server, keys):
        one.freeze()
    took["frozen"] = judge_both_away(daemon)
    for one in (server, keys):
        one.thaw()
        one.kill()
    took["away"] = judge_both_away(daemon)
    figures(**took)


def judge_both_away(daemon: Daemon) -> float:
    """Database and Redis are findings, the rest is looked at; the seconds that it took."""
    began = time.monotonic()
    found = doctor(daemon)
    took = time.monotonic() - began
    assert said(found, "bad", "database")
    assert said(found, "bad", "redis")
    assert said(found, "ok", "folders")
    assert took < LONGEST, "it does not hang"
    return took


def test_a_real_supervisord_is_asked_how_long_it_waits(
    supervisord: Supervisord, mariadb_daemon: Daemon
) -> None:
    daemon = mariadb_daemon
    supervisord.start()
    daemon.wait_until(daemon.workers, "workers run")
    daemon.wait_until(lambda: said(doctor(daemon), "ok", "upkeep"), "the master has said who it is")
    (fine,) = [one for one in said(doctor(daemon), "ok", "upkeep") if "starts it again" in one]
    assert fine == "supervisord (program qsuper) starts it again, and waits 1m for it to stop"
    with daemon.config.open("a") as file:
        file.write("\n[worker]\nstop_timeout = 90\n")
    (short,) = said(doctor(daemon), "bad", "upkeep")
    assert "kills the master 1m after TERM; workers have 1m 30s" in short


def test_a_daemon_that_nobody_keeps_alive_is_said(mariadb_daemon: Daemon) -> None:
    mariadb_daemon.start()
    (alone,) = said(doctor(mariadb_daemon), "warn", "upkeep")
    assert "nobody is seen who starts qsuper again" in alone
    assert mariadb_daemon.stop() == 0


def test_a_call_has_an_end_though_the_application_has_none(
    mariadb_daemon: Daemon, figures: Figures
) -> None:
    daemon = mariadb_daemon
    (daemon.folder / "endless_app.py").write_text("while True:\n    pass\n")
    daemon.write_config(app="endless_app:queue")
    began = time.monotonic()
    found = doctor(daemon)
    took = time.monotonic() - began
    assert took < PATIENCE
    figures(took=took)
    (hangs,) = said(found, "bad", "app")
    assert "still being imported" in hangs
