"""A database that takes questions and gives no answers: what needs none of it is there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from select import select

import pytest

from qsuper.roles.web.serving.pool import THREADS
from tests.acceptance.rows import Rows
from tests.servers import MariaDB
from tests.web.dashboard import TOKEN, Dashboard
from tests.web.listening import Ear

ASKING = 2 * THREADS
"""So many that whoever comes next waits until all but the last few have been given up."""


@pytest.fixture
def server(own_mariadb: Callable[..., MariaDB]) -> MariaDB:
    return own_mariadb()


@pytest.fixture
def started(server: MariaDB, embedded_dashboard: Dashboard) -> Dashboard:
    """Its database has answered so far."""
    dashboard = embedded_dashboard
    dashboard.rows = Rows(server.create_database())
    dashboard.daemon.url = dashboard.rows.url
    dashboard.start()
    assert dashboard.member().get("/jobs").status == 200
    return dashboard


@contextmanager
def waiting(server: MariaDB, dashboard: Dashboard) -> Iterator[Callable[[], int]]:
    """More wait for the frozen database than there are threads: how many of them still do."""
    head = f"GET /jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    server.freeze()
    try:
        with ExitStack() as stack:
            asking = [stack.enter_context(dashboard.raw()) for _ in range(ASKING)]
            for connection in asking:
                connection.sendall(head.encode())
            yield lambda: ASKING - len(select(asking, [], [], 0)[0])
    finally:
        server.thaw()


@pytest.mark.parametrize("path", ["/", "/queues", "/workers", "/api/status", "/metrics"])
def test_what_stands_on_the_scoreboard_is_shown_while_others_wait(
    server: MariaDB, started: Dashboard, path: str
) -> None:
    member = started.member()
    with waiting(server, started) as still_waiting:
        answer = member.get(path)
        assert still_waiting() >= THREADS, "it waited for none of the others"
    assert answer.status == 200


def test_who_follows_a_job_holds_up_nobodys_picture(server: MariaDB, started: Dashboard) -> None:
    started.rows.add([(1, "work", {"n": 1})])
    with Ear(started, "?job=1") as following, Ear(started) as other:
        following.next("job")
        with waiting(server, started) as still_waiting:
            for _ in range(4):
                assert following.next("picture")
                assert other.next("picture")
            assert still_waiting() >= THREADS
