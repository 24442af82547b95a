"""Somebody is told what is wrong: real processes, servers that stop and come back."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import MariaDB, Redis
from tests.servers.webhook import Webhook

QUIET = 2
"""Seconds of being well that end an episode here."""
COMMAND = """#!/bin/sh
cat >> "$(dirname "$0")/told"
"""
Fact = tuple[str, str, str]


class Pager:
    """A daemon that tells a program and a web server, and what they were told."""

    def __init__(self, daemon: Daemon, webhook: Webhook) -> None:
        self.daemon = daemon
        self.webhook = webhook
        program = daemon.folder / "page-me"
        program.write_text(COMMAND)
        program.chmod(0o755)

    def configure(self, *, limits: dict[str, Any] | None = None, **tables: Any) -> None:
        alerts = {"command": ["./page-me"], "webhook": self.webhook.url, "quiet": QUIET}
        self.daemon.write_config(alerts=alerts | (limits or {}), **tables)

    @property
    def told(self) -> list[dict[str, Any]]:
        """What the program was told, as far as it is whole lines."""
        path = self.daemon.folder / "told"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def facts(self, kind: str) -> list[Fact]:
        return [
            (one["kind"], one["about"], one["state"]) for one in self.told if one["kind"] == kind
        ]

    def posted(self, kind: str) -> list[Fact]:
        bodies = [body for _, _, body in self.webhook.asked]
        return [(one["kind"], one["about"], one["state"]) for one in bodies if one["kind"] == kind]

    def until(self, kind: str, *states: str, about: str = "") -> None:
        """Wait until both have been told exactly this of a kind."""
        wanted = [(kind, about, state) for state in states]
        self.daemon.wait_until(
            lambda: self.facts(kind) == self.posted(kind) == wanted,
            f"{kind}: {', '.join(states)} are told",
        )
        # Whoever is killed before he has noted it tells it again.
        self.daemon.wait_until(self.is_noted, f"{kind}: it is noted that they are")

    def is_noted(self) -> bool:
        waiting = json.loads(self.daemon.cli("alerts", "--json").stdout)["waiting"]
        return not any(box["messages"] for box in waiting.values())


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    yield server
    server.close()


@pytest.fixture
def pager(daemon: Daemon, webhook: Webhook) -> Pager:
    return Pager(daemon, webhook)


def pager_over(server: MariaDB, folder: Path, webhook: Webhook) -> Pager:
    """Of a daemon whose database the test takes away."""
    url = Rows(server.create_database()).url
    pager = Pager(Daemon(folder, url), webhook)
    pager.configure(limits={"away": 1}, store={"url": url, "connect_timeout": 1})
    return pager


def test_a_database_that_is_away_is_told_once_and_once_when_it_is_back(
    own_mariadb: Callable[..., MariaDB], folder: Path, webhook: Webhook, figures: Figures
) -> None:
    server = own_mariadb()
    pager = pager_over(server, folder, webhook)
    daemon = pager.daemon
    try:
        daemon.start()
        daemon.wait_until(lambda: daemon.child("alerts"), "the child that tells runs")
        server.kill()
        pager.until("database", "begun")
        # It says so to nobody else but those it is to tell: the database is not needed for it.
        record = daemon.child("alerts")
        assert record is not None
        assert not record.trouble
        # The next process knows what the last one has told.
        first = record.pid
        daemon.kill(record)
        daemon.wait_until(lambda: alerts_pid(daemon) not in (None, first), "the next one runs")
        server.start()
        pager.until("database", "begun", "over")
    finally:
        daemon.clean_up()
    begun, over = pager.told
    figures(told_after=begun["at"] - begun["since"], over_after=over["at"] - begun["at"])
    assert begun["since"] == over["since"]
    assert {one["kind"] for one in pager.told} == {"database"}


def test_an_episode_outlives_its_master(
    own_mariadb: Callable[..., MariaDB], folder: Path, webhook: Webhook
) -> None:
    server = own_mariadb()
    pager = pager_over(server, folder, webhook)
    daemon = pager.daemon
    try:
        daemon.start()
        server.kill()
        pager.until("database", "begun")
        daemon.kill_master()
        daemon.start(ready=False)
        daemon.wait_until(
            lambda: any(one["kind"] == "database" for one in troubles(daemon)), "it is away still"
        )
        server.start()
        pager.until("database", "begun", "over")
    finally:
        daemon.clean_up()


def alerts_pid(daemon: Daemon) -> int | None:
    record = daemon.child("alerts")
    return record.pid if record else None


def troubles(daemon: Daemon) -> list[dict[str, Any]]:
    answer = daemon.cli("status", "--json")
    return list(json.loads(answer.stdout).get("troubles", ())) if answer.stdout else []


def test_a_redis_that_is_away_is_told_once_and_once_when_it_is_back(
    pager: Pager, own_redis: Callable[..., Redis]
) -> None:
    server = own_redis()
    pager.configure(limits={"away": 1}, redis={"url": server.url()})
    pager.daemon.start()
    pager.daemon.wait_until(lambda: not pager.daemon.status()["degraded"], "all is well")
    server.kill()
    pager.until("redis", "begun")
    server.start()
    pager.until("redis", "begun", "over")


def test_an_application_that_cannot_be_imported_is_told_for_all_workers_of_a_queue_at_once(
    pager: Pager,
) -> None:
    pager.configure(limits={"away": 0, "quiet": 20}, app="tests.acceptance.no_such_app:queue")
    pager.daemon.start(ready=False)
    pager.until("fatal", "begun", about="default")
    (text,) = [one["text"] for one in pager.told if one["about"] == "default"]
    assert "FATAL: could not boot" in text
    pager.configure(limits={"away": 0, "quiet": 2})
    pager.daemon.ask("reload")
    pager.until("fatal", "begun", "over", about="default")


def test_jobs_that_die_and_jobs_that_wait_are_told(pager: Pager, rows: Rows) -> None:
    pager.configure(limits={"dead": 3, "dead_within": 600, "oldest_ready": 2})
    pager.daemon.start()
    rows.add(((n, "raise_an_error", None) for n in range(1, 3)), max_attempts=1)
    pager.daemon.wait_until(lambda: rows.count(State.DEAD) == 2, "two have died")
    assert not pager.facts("dead"), "two are too few"
    rows.add([(3, "raise_an_error", None)], max_attempts=1)
    pager.until("dead", "begun")
    pager.daemon.ask("pause")
    rows.add([(4, "work", {"n": 4})])
    pager.until("oldest_ready", "begun", about="default")
    listed = pager.daemon.cli("alerts")
    lines = listed.stdout.splitlines()
    assert [line.partition(", for ")[0] for line in lines[::2]] == ["oldest_ready default", "dead"]
    assert lines[1].startswith("  the oldest ready job of queue default has waited for ")
    pager.daemon.ask("resume")
    pager.until("oldest_ready", "begun", "over", about="default")
    assert json.loads(pager.daemon.cli("alerts", "--json").stdout)["open"][0]["kind"] == "dead"


def test_a_crontab_that_stops_ticking_is_told(pager: Pager) -> None:
    pager.configure(limits={"cron_tick": 3})
    pager.daemon.start()
    pager.until("cron_tick", "begun")
    # A loop of them: this machine may be slower than a tick is allowed to be.
    pager.daemon.wait_until(
        lambda: (
            pager.daemon.cli("cron", "tick").returncode == 0 and len(pager.facts("cron_tick")) > 1
        ),
        "it ticks again",
    )


def test_a_test_alert_is_sent_without_a_daemon(pager: Pager) -> None:
    pager.configure()
    answer = pager.daemon.cli("alerts", "--test")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.count("has taken a test alert") == 2
    both = [("test", "", "begun"), ("test", "", "over")]
    assert pager.facts("test") == pager.posted("test") == both
    pager.webhook.status = 500
    answer = pager.daemon.cli("alerts", "--test")
    assert answer.returncode == 1
    assert answer.stdout.count("has taken a test alert") == 1
    assert "it answered 500 Internal Server Error" in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert "secret" not in answer.stdout + answer.stderr, "the URL is somebody's password"


def test_without_somebody_to_tell_there_is_no_child_for_it(daemon: Daemon) -> None:
    daemon.start()
    assert daemon.child("alerts") is None
    answer = daemon.cli("alerts")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "name a command or a webhook in [alerts]" in answer.stderr


def test_a_reload_gives_the_word_to_whom_the_new_configuration_names(
    pager: Pager, rows: Rows
) -> None:
    pager.configure(limits={"oldest_ready": 3600})
    pager.daemon.start()
    before = alerts_pid(pager.daemon)
    pager.configure(limits={"oldest_ready": 1})
    pager.daemon.ask("reload")
    pager.daemon.ask("pause")
    rows.add([(1, "work", {"n": 1})])
    pager.until("oldest_ready", "begun", about="default")
    assert alerts_pid(pager.daemon) != before
