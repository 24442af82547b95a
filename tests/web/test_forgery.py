"""Pages of other sites, and names that were made to lead here."""

from collections.abc import Mapping

import pytest

from tests.web.dashboard import TOKEN, Dashboard, Visitor


@pytest.fixture
def member(dashboard: Dashboard) -> Visitor:
    return dashboard.member()


def paused(dashboard: Dashboard) -> bool:
    return bool(dashboard.visitor().read("/api/status")["paused"])


def test_a_form_of_ones_own_is_obeyed(dashboard: Dashboard, member: Visitor) -> None:
    """The control of all that follows: this is how it works."""
    here = {"origin": f"http://127.0.0.1:{dashboard.port}", "sec_fetch_site": "same-origin"}
    fields = {"csrf": member.csrf(), "back": "/workers?x=1"}
    answer = member.post("/do/pause-node", fields, **here)
    assert (answer.status, answer.headers["location"]) == (303, "/workers?x=1")
    assert paused(dashboard)
    assert "this node is paused" in member.get("/workers").text
    assert "this node is paused: it begins" not in member.get("/workers").text, "said twice"
    member.post("/do/resume-node", fields, **here)
    assert not paused(dashboard)


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é"])
def test_a_form_without_the_sessions_own_mark_does_nothing(
    dashboard: Dashboard, member: Visitor, csrf: str
) -> None:
    assert member.post("/do/pause-node", {"csrf": csrf}).status == 403
    assert not paused(dashboard)


def test_the_mark_of_another_session_does_nothing(dashboard: Dashboard, member: Visitor) -> None:
    other = dashboard.member().csrf()
    assert other != member.csrf()
    assert member.post("/do/pause-node", {"csrf": other}).status == 403
    assert not paused(dashboard)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://localhost"},
        {"origin": "file://"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
    ],
    ids=lambda headers: "-".join(headers.values()),
)
def test_a_form_that_another_page_sends_does_nothing(
    dashboard: Dashboard, member: Visitor, headers: Mapping[str, str]
) -> None:
    assert member.post("/do/pause-node", {"csrf": member.csrf()}, **headers).status == 403
    assert member.call("/api/pause-node", {}, **headers).status == 403
    assert dashboard.visitor().log_in(**headers).status == 403
    assert not paused(dashboard)


def test_a_cookie_alone_calls_no_endpoint(dashboard: Dashboard, member: Visitor) -> None:
    assert member.call("/api/pause-node", {}, authorization="").status == 403
    plain = {"authorization": "", "content_type": "text/plain", "x_csrf_token": member.csrf()}
    assert member.call("/api/pause-node", {}, **plain).status == 415
    assert not paused(dashboard)


def test_reading_changes_nothing(dashboard: Dashboard, member: Visitor) -> None:
    assert member.get(f"/do/pause-node?csrf={member.csrf()}").status == 405
    assert not paused(dashboard)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1@evil.example",
        "10.0.0.1",
        "",
        "[::1",
        "localhost:{port}:{port}",
        "localhost:port",
        "127.0.0.1:{port}/",
    ],
)
def test_a_name_that_is_not_ours_is_answered_nothing(dashboard: Dashboard, host: str) -> None:
    named = host.format(port=dashboard.port)
    answer = dashboard.visitor().get("/api/status", host=named, authorization=f"Bearer {TOKEN}")
    assert answer.status == 421
    assert b"queues" not in answer.body
    assert dashboard.visitor().get("/healthz", host=named).status == 421


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:{port}", "127.0.0.1", "127.0.0.1:9", "[::1]:{port}"]
)
def test_this_hosts_own_names_are_ours(dashboard: Dashboard, host: str) -> None:
    named = host.format(port=dashboard.port)
    assert dashboard.visitor().get("/healthz", host=named).status == 200


def test_further_names_are_those_of_the_configuration(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start(web={"hosts": ["qsuper.example.com"]})
    visitor = dashboard.visitor()
    assert visitor.get("/healthz", host="qsuper.example.com").status == 200
    assert visitor.get("/healthz", host="other.example.com").status == 421
    ours = {"host": "qsuper.example.com", "origin": "https://qsuper.example.com"}
    assert visitor.log_in(**ours).status == 303


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/\r\nX: y", "x"]
)
def test_nobody_is_led_away_by_a_form(dashboard: Dashboard, member: Visitor, back: str) -> None:
    fields = {"csrf": member.csrf(), "back": back}
    assert member.post("/do/resume-node", fields).headers["location"] == "/"
    answer = dashboard.visitor().post("/login", {"token": TOKEN, "back": back})
    assert answer.headers["location"] == "/"
