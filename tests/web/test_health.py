"""What probes are told."""

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields

import pytest

from qsuper.errors import NotRunning
from qsuper.picture import Child, Picture, Queue, Trouble
from qsuper.roles.web.health import hindrances, lives
from qsuper.states import ChildState
from tests.servers import MariaDB
from tests.web.dashboard import Dashboard


def picture(**others: object) -> Picture:
    """Of a node that is well."""
    values = {
        "degraded": (),
        "pid": 1,
        "version": "",
        "node": "",
        "started": 0.0,
        "up": 100.0,
        "paused": False,
        "stopping": False,
        "lease_left": 20.0,
        "alone": True,
        "posted_ago": 0.1,
        "counted_ago": 0.1,
        "children": (),
        "queues": (),
    }
    return Picture(**{**values, **others})  # type: ignore[arg-type]


def worker(state: ChildState, queue: str = "mail") -> Child:
    values = dict.fromkeys((one.name for one in fields(Child)), None)
    return Child(**values | {"name": f"{queue}[0]", "queue": queue, "state": state})  # type: ignore[arg-type]


MAIL = Queue("mail", 1, 1, 1, paused=False, states={}, oldest_ready=None)


def test_a_node_that_is_well_lives_and_is_ready() -> None:
    assert lives(picture()) == ""
    assert hindrances(picture()) == []


@pytest.mark.parametrize(
    "others",
    [
        {"troubles": (Trouble("lease", "", "the lease ends"),)},
        {"troubles": (Trouble("master silent", "", "nothing was said"),)},
        {"lease_left": None},
        {"queues": (MAIL,), "children": (worker(ChildState.FATAL),)},
    ],
    ids=["lease", "silence", "no lease", "FATAL"],
)
def test_a_node_that_would_run_nothing_is_not_ready(others: dict[str, object]) -> None:
    assert len(hindrances(picture(**others))) == 1


@pytest.mark.parametrize(
    "others",
    [
        {"troubles": (Trouble("queue paused", "mail", "it is paused"),)},
        {"troubles": (Trouble("paused", "", "it is paused"),)},
        {"queues": (MAIL,), "children": (worker(ChildState.FATAL), worker(ChildState.RUNNING))},
        {"queues": (MAIL,), "children": (worker(ChildState.FATAL, "other"),)},
    ],
    ids=["queue", "node", "one of two", "another queue"],
)
def test_what_somebody_wants_or_others_make_up_for_is_no_hindrance(
    others: dict[str, object],
) -> None:
    assert hindrances(picture(**others)) == []


def test_no_picture_is_neither() -> None:
    assert lives(NotRunning("not running in var"))
    assert hindrances(NotRunning("not running in var")) == ["not running in var"]
    assert lives(picture(posted_ago=60.0))


def test_probes_need_no_token(dashboard: Dashboard) -> None:
    visitor = dashboard.visitor()
    dashboard.daemon.wait_until(lambda: visitor.get("/readyz").status == 200, "it is ready")
    assert visitor.get("/healthz").text == "ok\n"
    assert visitor.send("HEAD", "/healthz").status == 200


def test_a_hundred_who_ask_at_once_are_all_told(dashboard: Dashboard) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    for _ in range(3):
        with ExitStack() as stack:
            asking = [stack.enter_context(dashboard.raw()) for _ in range(100)]
            for connection in asking:
                connection.sendall(ask)
            told = {connection.recv(12) for connection in asking}
        assert told == {b"HTTP/1.1 200"}


def test_a_master_that_hangs_is_told(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start()
    os.kill(dashboard.daemon.pid, signal.SIGSTOP)
    try:
        dashboard.daemon.wait_until(
            lambda: dashboard.visitor().get("/healthz").status == 503, "it is said"
        )
    finally:
        os.kill(dashboard.daemon.pid, signal.SIGCONT)
    dashboard.daemon.wait_until(dashboard.answers, "it is well again")


def test_with_the_database_away_it_lives_and_is_not_ready(
    own_mariadb: Callable[..., MariaDB], embedded_dashboard: Dashboard
) -> None:
    server = own_mariadb()
    dashboard = embedded_dashboard
    dashboard.daemon.url = server.create_database()
    dashboard.configure(node={"lease": 10})
    assert dashboard.daemon.cli("db", "upgrade").returncode == 0
    dashboard.daemon.start()
    dashboard.wait_until_it_answers()
    visitor = dashboard.visitor()
    dashboard.daemon.wait_until(lambda: visitor.get("/readyz").status == 200, "it is ready")
    member = dashboard.member()
    server.stop()
    dashboard.daemon.wait_until(lambda: visitor.get("/readyz").status == 503, "it is not")
    assert visitor.get("/healthz").status == 200
    assert member.get("/queues").status == 200, "what stands on the scoreboard is shown"
    answer = member.get("/jobs")
    assert answer.status == 503
    assert "Traceback" not in answer.text
    assert visitor.call("/api/retry", {"id": 1}).status == 503
    server.start()
    dashboard.daemon.wait_until(lambda: visitor.get("/readyz").status == 200, "it is again")
    dashboard.daemon.wait_until(lambda: member.get("/jobs").status == 200, "jobs are shown")
