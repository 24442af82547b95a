"""Addresses that lead nowhere, and answers that tell nothing they should not."""

from contextlib import suppress

import pytest

from qsuper.version import VERSION
from tests.web.dashboard import Answer, Dashboard, Visitor

TRICKS = [
    "/static/../../../../etc/passwd",
    "/static/..%2f..%2f..%2fetc/passwd",
    "/static/%2e%2e/%2e%2e/etc/passwd",
    "/static/%252e%252e/etc/passwd",
    "/static//etc/passwd",
    "//etc/passwd",
    "/static/..\\..\\etc\\passwd",
    "/static/%5c..%5cetc",
    "/static/dashboard.css%00.js",
    "/static/dashboard.css/",
    "/static/",
    "/static/__init__.py",
    "/static/layout.html",
    "/jobs/1/../../static/x",
    "/jobs/%31%00",
    "/jobs/-1",
    "/jobs/99999999999999999999999999",
    "/.git/config",
    "/api/../etc",
    "/%ff%fe",
]


@pytest.fixture(scope="module")
def member(dashboard: Dashboard) -> Visitor:
    return dashboard.member()


def exchange(dashboard: Dashboard, raw: bytes) -> bytes:
    """What comes back when exactly this is sent."""
    with dashboard.raw() as connection:
        connection.sendall(raw)
        found = b""
        with suppress(ConnectionResetError):
            while data := connection.recv(65536):
                found += data
    return found


@pytest.mark.parametrize("path", TRICKS)
def test_a_path_that_is_a_trick_leads_nowhere(dashboard: Dashboard, path: str) -> None:
    cookie = "; ".join(f"{n}={v}" for n, v in dashboard.member().cookies.items())
    head = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    )
    found = exchange(dashboard, head.encode())
    assert found.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")), found[:200]
    assert b"root:" not in found


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://evil.example/ HTTP/1.1",
        b"GET etc/passwd HTTP/1.1",
        b"GET * HTTP/1.1",
        b"CONNECT evil.example:80 HTTP/1.1",
        b"GET /\x00 HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nX: y",
    ],
)
def test_what_is_no_request_is_refused(dashboard: Dashboard, line: bytes) -> None:
    found = exchange(dashboard, line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert found.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ", b"HTTP/1.1 405 ")), found[:200]


def test_a_body_with_a_length_and_in_pieces_is_refused_and_nothing_more_is_heard(
    dashboard: Dashboard,
) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
    after = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    both = head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + after
    found = exchange(dashboard, both)
    assert found.startswith(b"HTTP/1.1 400 "), found[:200]
    assert found.count(b"HTTP/1.1 ") == 1


def test_a_number_without_an_end_is_no_job(dashboard: Dashboard, member: Visitor) -> None:
    """Not even to a stranger, who would fill the log with it."""
    for digits in (19, 20, 41, 5_000, 15_000):
        assert member.get("/jobs/" + "9" * digits).status == 404
        assert dashboard.visitor().get("/jobs/" + "9" * digits).status in (303, 404)
    assert " failed" not in dashboard.daemon.log()


def test_there_is_a_way_that_leads_somewhere(dashboard: Dashboard) -> None:
    """The control: a file that is in the table."""
    answer = dashboard.visitor().get("/static/dashboard.css")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/css")
    again = dashboard.visitor().get("/static/dashboard.css", if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def answers(visitor: Visitor) -> list[Answer]:
    """One of each kind."""
    return [
        visitor.get("/"),
        visitor.get("/login"),
        visitor.get("/nowhere"),
        visitor.get("/static/dashboard.css"),
        visitor.get("/api/status"),
        visitor.get("/healthz"),
        visitor.get("/", host="evil.example"),
        visitor.send("PUT", "/"),
        visitor.send("OPTIONS", "/"),
        visitor.send("TRACE", "/"),
        visitor.post("/do/pause-node", {}),
        visitor.post("/nowhere", {}),
    ]


def test_every_answer_has_its_headers(member: Visitor) -> None:
    for answer in answers(member):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
        assert answer.headers["access-control-allow-origin"] is None


def test_no_answer_says_what_it_was_made_with(member: Visitor) -> None:
    for answer in answers(member):
        assert answer.headers["server"] is None
        if answer.status >= 400:
            assert b"Traceback" not in answer.body
            assert b"starlette" not in answer.body.lower()
            assert VERSION.encode() not in answer.body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"])
def test_no_other_method_is_known(member: Visitor, method: str) -> None:
    assert member.send(method, "/").status == 405


@pytest.mark.parametrize("query", ["before=x", "before=-1", "state=nothing", "most=1e9", "since=a"])
def test_a_question_that_makes_no_sense_is_refused_in_words(
    dashboard: Dashboard, member: Visitor, query: str
) -> None:
    answer = member.get(f"/api/jobs?{query}")
    assert answer.status == 400
    assert query.partition("=")[0] in answer.json["error"]
    assert member.get(f"/jobs?{query}").status in (200, 400, 404)
    assert " failed" not in dashboard.daemon.log()
