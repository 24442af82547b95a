"""Too much, too slow, too many: the dashboard stays there for others."""

import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from qsuper.roles.web.gate.guard import BODY_MOST
from qsuper.roles.web.serving.connection import CONNECTIONS_MOST, IDLE_MOST
from qsuper.roles.web.serving.events import STREAMS_MOST
from tests.acceptance.daemon import PATIENCE
from tests.acceptance.figures import Figures
from tests.wait import wait_for
from tests.web.dashboard import FORM, TOKEN, Dashboard

MEGABYTE = 1024 * 1024
HUGE = 10 * MEGABYTE


def files(dashboard: Dashboard) -> int:
    """How many files the dashboard has open."""
    web = dashboard.daemon.child("web")
    assert web is not None
    return len(list(Path(f"/proc/{web.pid}/fd").iterdir()))


def read_status(connection: socket.socket) -> int:
    """The status of the answer; 0 when the connection was cut before one came."""
    try:
        head = connection.recv(4096)
    except ConnectionResetError:
        return 0
    return int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/") else 0


def is_cut(connection: socket.socket) -> bool:
    """Whether the other end has gone."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def test_a_body_of_10_mb_is_refused_by_its_length(dashboard: Dashboard) -> None:
    with dashboard.raw() as connection:
        head = f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n"
        connection.sendall(f"{head}Content-Length: {HUGE}\r\n\r\n".encode())
        # Not a byte of the body was sent.
        assert read_status(connection) == 413


def test_a_body_of_10_mb_in_pieces_is_refused_on_its_way(dashboard: Dashboard) -> None:
    sent, status = 0, 0
    with dashboard.raw() as connection:
        head = f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        try:
            while sent < HUGE:
                connection.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
                sent += 0x4000
        except OSError:
            pass
        status = read_status(connection)
    assert status in (413, 0)
    assert sent < HUGE


def test_a_body_that_is_just_not_too_long_is_read(dashboard: Dashboard) -> None:
    """The control of both."""
    filled = "x" * (BODY_MOST - 100)
    answer = dashboard.visitor().post("/login", {"token": TOKEN, "filler": filled})
    assert answer.status == 303
    assert dashboard.visitor().post("/login", {"token": TOKEN, "filler": filled * 2}).status == 413


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"id": 1' + b"0" * 60_000 + b"}", b"\xff", b"1"])
def test_json_that_is_meant_to_hurt_is_refused(dashboard: Dashboard, body: bytes) -> None:
    answer = dashboard.visitor().send(
        "POST",
        "/api/retry",
        body,
        content_type="application/json",
        authorization=f"Bearer {TOKEN}",
    )
    assert answer.status == 400


@pytest.mark.parametrize(
    "headers",
    [
        "".join(f"X-{number}: {'y' * 50}\r\n" for number in range(5000)),
        f"X: {'y' * MEGABYTE}\r\n",
        f"Cookie: {'a=b; ' * 100_000}\r\n",
    ],
    ids=["many", "long", "cookies"],
)
def test_a_flood_of_headers_is_refused(dashboard: Dashboard, headers: str) -> None:
    with dashboard.raw() as connection:
        with suppress(OSError):
            connection.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        assert read_status(connection) in (400, 431, 0)
    assert dashboard.answers()


def test_a_request_that_never_ends_is_cut(dashboard: Dashboard) -> None:
    with dashboard.raw() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        began, number = time.monotonic(), 0
        while not is_cut(connection):
            assert time.monotonic() - began < PATIENCE
            number += 1
            try:
                connection.setblocking(True)
                connection.sendall(f"X-{number}: slow\r\n".encode())
            except OSError:
                break
            time.sleep(0.2)
        assert time.monotonic() - began >= IDLE_MOST - 1.5


def test_a_body_that_does_not_come_is_not_waited_for(dashboard: Dashboard) -> None:
    with dashboard.raw() as connection:
        head = f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n"
        connection.sendall(f"{head}Content-Length: 10\r\n\r\nx".encode())
        assert read_status(connection) == 408


def test_a_thousand_idle_connections_keep_nobody_out(
    dashboard: Dashboard, figures: Figures
) -> None:
    before = files(dashboard)
    with ExitStack() as stack:
        idle = [stack.enter_context(dashboard.raw()) for _ in range(1000)]
        began = time.monotonic()
        answer = dashboard.visitor().read("/api/status")
        took = time.monotonic() - began
        assert answer["running"]
        most = files(dashboard)
        assert most <= before + CONNECTIONS_MOST + 20
        kept = sum(not is_cut(connection) for connection in idle)
        assert kept <= CONNECTIONS_MOST
        wait_for(lambda: all(map(is_cut, idle)), PATIENCE, "idle connections are cut")
    figures(kept=kept, files_open=most, answered_after_ms=took * 1000)
    wait_for(lambda: files(dashboard) <= before + 2, PATIENCE, "their files are closed")


def test_a_thousand_connections_in_the_midst_of_a_request_keep_nobody_out(
    dashboard: Dashboard,
) -> None:
    with ExitStack() as stack:
        for _ in range(1000):
            connection = stack.enter_context(dashboard.raw())
            try:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: local")
            except OSError:
                continue
        assert dashboard.visitor().read("/api/status")["running"]


def test_bodies_that_do_not_come_keep_nobody_out(dashboard: Dashboard) -> None:
    head = f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n"
    with ExitStack() as stack:
        for _ in range(CONNECTIONS_MOST + 50):
            connection = stack.enter_context(dashboard.raw())
            with suppress(OSError):
                connection.sendall(f"{head}Content-Length: 10\r\n\r\n".encode())
        for _ in range(20):
            assert dashboard.visitor().get("/healthz").status == 200
        assert dashboard.visitor().read("/api/status")["running"]


def test_only_so_many_may_listen(dashboard: Dashboard) -> None:
    head = f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    with ExitStack() as stack:
        streams = [stack.enter_context(dashboard.raw()) for _ in range(STREAMS_MOST)]
        for stream in streams:
            stream.sendall(head.encode())
            assert read_status(stream) == 200
        with dashboard.raw() as one_more:
            one_more.sendall(head.encode())
            assert read_status(one_more) == 503

    def there_is_room() -> bool:
        with dashboard.raw() as another:
            another.sendall(head.encode())
            return read_status(another) == 200

    wait_for(there_is_room, PATIENCE, "those who have gone make room")


def test_one_who_listens_and_takes_nothing_hinders_nobody(dashboard: Dashboard) -> None:
    path = f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    with dashboard.raw() as quick, socket.socket() as slow:
        quick.sendall(path.encode())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.connect(("127.0.0.1", dashboard.port))
        slow.sendall(path.encode())
        quick.settimeout(PATIENCE)
        received = b""
        while received.count(b"event: picture") < 3:
            received += quick.recv(65536)
    assert dashboard.answers()
