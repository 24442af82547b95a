"""Who is let in, and who is not."""

import re
from http.client import HTTPConnection

import pytest

from qsuper.roles.web.actions import ACTIONS
from qsuper.roles.web.gate.revoked import REVOKED_FILE
from qsuper.roles.web.pages import PAGES
from qsuper.roles.web.reading import READINGS
from tests.acceptance.daemon import PATIENCE
from tests.wait import wait_for
from tests.web.dashboard import TOKEN, Dashboard

PRIVATE = [
    *(re.sub(r"{.*}", "1", page.path) for page in PAGES),
    *(path.replace("{id}", "1") for path in READINGS),
    "/metrics",
    "/events",
]


@pytest.mark.parametrize("path", PRIVATE)
def test_nothing_is_shown_to_a_stranger(dashboard: Dashboard, path: str) -> None:
    answer = dashboard.visitor().get(path)
    assert answer.status in (303, 401)
    assert "/login" in answer.headers.get("location", "") or answer.status == 401
    assert "default" not in answer.text


@pytest.mark.parametrize("action", [action.name for action in ACTIONS])
def test_nothing_is_done_for_a_stranger(dashboard: Dashboard, action: str) -> None:
    stranger = dashboard.visitor()
    assert stranger.post(f"/do/{action}", {"id": 1, "name": "x"}).status == 303
    assert stranger.call(f"/api/{action}", {}, authorization="").status == 401


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 20])
def test_a_wrong_token_opens_nothing(dashboard: Dashboard, token: str) -> None:
    given = f"Bearer {token}".encode().decode("latin-1")
    stranger = dashboard.visitor()
    # Each from an address of its own: mistakes add up.
    came_from = f"10.1.0.{len(token.encode())}"
    assert stranger.log_in(token, x_forwarded_for=came_from).status == 403
    assert not stranger.cookies
    answer = stranger.get("/api/status", authorization=given, x_forwarded_for=came_from)
    assert answer.status == 401


def test_the_token_opens_everything(dashboard: Dashboard) -> None:
    visitor = dashboard.visitor()
    assert visitor.read("/api/status")["running"]
    answer = visitor.log_in()
    assert (answer.status, answer.headers["location"]) == (303, "/queues")
    assert visitor.get("/queues").status == 200


def test_a_cookie_is_for_this_site_and_no_script(dashboard: Dashboard) -> None:
    cookie = dashboard.visitor().log_in().headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    behind_tls = dashboard.visitor().log_in(x_forwarded_proto="https").headers["set-cookie"]
    assert "secure" in behind_tls.lower()


def test_a_cookie_is_over_once_its_owner_has_logged_out(dashboard: Dashboard) -> None:
    visitor = dashboard.member()
    copied = dict(visitor.cookies)
    answer = visitor.post("/logout", {"csrf": visitor.csrf()})
    assert answer.status == 303
    assert visitor.get("/queues").status == 303
    visitor.cookies = copied
    assert visitor.get("/queues").status == 303


def test_nobody_is_logged_out_by_another_page(dashboard: Dashboard) -> None:
    visitor = dashboard.member()
    assert visitor.post("/logout", {}).status == 403
    assert visitor.get("/queues").status == 200


def test_a_session_that_was_ended_stays_so_in_the_next_process(
    embedded_dashboard: Dashboard,
) -> None:
    dashboard = embedded_dashboard
    dashboard.start()
    staying, leaving = dashboard.member(), dashboard.member()
    copied = dict(leaving.cookies)
    leaving.post("/logout", {"csrf": leaving.csrf()})
    web = dashboard.daemon.child("web")
    assert web is not None
    dashboard.daemon.kill(web)
    dashboard.wait_until_it_answers()
    leaving.cookies = copied
    assert leaving.get("/queues").status == 303
    assert staying.get("/queues").status == 200


def test_a_log_out_that_cannot_be_written_down_counts_and_says_so(
    embedded_dashboard: Dashboard,
) -> None:
    dashboard = embedded_dashboard
    dashboard.start()
    (dashboard.daemon.state / REVOKED_FILE).mkdir()
    visitor = dashboard.member()
    copied = dict(visitor.cookies)
    answer = visitor.post("/logout", {"csrf": visitor.csrf()})
    assert answer.status == 200
    assert "could not be written down" in answer.text
    visitor.cookies = copied
    assert visitor.get("/queues").status == 303
    assert "a log-out could not be written down" in dashboard.daemon.log()
    assert "Traceback" not in dashboard.daemon.log()


@pytest.mark.parametrize("place", [0, 10, -1])
def test_a_cookie_that_was_changed_is_none(dashboard: Dashboard, place: int) -> None:
    visitor = dashboard.member()
    for name, value in visitor.cookies.items():
        letters = list(value)
        letters[place] = "a" if letters[place] != "a" else "b"
        visitor.cookies[name] = "".join(letters)
    assert visitor.get("/queues").status == 303


@pytest.mark.parametrize("value", ["", ".", "a.b", "é.x", "=" * 2000, "e30=." + "0" * 64])
def test_junk_is_no_cookie(dashboard: Dashboard, value: str) -> None:
    name = next(iter(dashboard.member().cookies))
    cookie = f"{name}={value}".encode().decode("latin-1")
    assert dashboard.visitor().get("/queues", cookie=cookie).status == 303


def test_who_is_wrong_too_often_must_wait_and_the_right_token_need_not(
    dashboard: Dashboard,
) -> None:
    stale = dashboard.visitor()
    old = "Bearer the-token-of-last-year"
    whence = "10.2.0.1"

    def is_kept_waiting() -> bool:
        answer = stale.get("/metrics", authorization=old, x_forwarded_for=whence)
        return answer.status == 429 and int(answer.headers["retry-after"]) >= 1

    wait_for(is_kept_waiting, PATIENCE, "the old token is not looked at any more")
    for _ in range(10):
        answer = stale.get("/api/status", authorization=f"Bearer {TOKEN}", x_forwarded_for=whence)
        assert answer.status == 200
    assert dashboard.visitor().log_in(x_forwarded_for=whence).status == 303
    assert dashboard.visitor().log_in(x_forwarded_for="10.2.0.2").status == 303


def test_a_header_names_nobody_unless_it_is_trusted(dashboard: Dashboard) -> None:
    assert dashboard.visitor().get("/queues", x_forwarded_user="ann").status == 303


def test_a_trusted_proxy_says_who_has_logged_in(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start(web={"trusted_header": "X-Forwarded-User"})
    ann = dashboard.visitor()
    assert ann.get("/queues").status == 303
    assert ann.get("/queues", x_forwarded_user="ann").status == 200
    # The session is the proxy's word for her: without it, or with another name, it is none.
    assert ann.get("/queues").status == 303
    answer = ann.post("/do/pause-node", {"csrf": ""}, x_forwarded_user="ann")
    assert answer.status == 403
    before = dict(ann.cookies)
    ann.get("/queues", x_forwarded_user="bob")
    assert ann.cookies != before


def test_what_a_proxy_asks_a_password_for_is_passed_on_by_it_and_is_no_token(
    embedded_dashboard: Dashboard,
) -> None:
    """As nginx does with `auth_basic`."""
    dashboard = embedded_dashboard
    dashboard.start(web={"trusted_header": "X-Forwarded-User"})
    password = "Basic YW5uOnNlY3JldA=="
    ann = dashboard.visitor()
    named = {"authorization": password, "x_forwarded_user": "ann"}
    page = ann.get("/queues", **named)
    assert page.status == 200
    assert ann.post("/do/pause-node", {"csrf": ""}, **named).status == 403
    member = dashboard.member()
    assert member.get("/queues", authorization=password).status == 200
    stranger = dashboard.visitor().get("/queues", authorization=password)
    assert (stranger.status, "/login" in stranger.headers["location"]) == (303, True)
    assert dashboard.visitor().get("/api/status", authorization=password).status == 401
    assert dashboard.visitor().get("/queues", authorization="Bearer wrong").status == 401


def test_two_names_are_none(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start(web={"trusted_header": "X-Forwarded-User"})
    connection = HTTPConnection("127.0.0.1", dashboard.port, timeout=PATIENCE)
    connection.putrequest("GET", "/queues")
    connection.putheader("X-Forwarded-User", "mallory")
    connection.putheader("X-Forwarded-User", "ann")
    connection.endheaders()
    assert connection.getresponse().status == 303
    connection.close()


def test_a_header_from_elsewhere_than_the_proxy_names_nobody(
    embedded_dashboard: Dashboard,
) -> None:
    dashboard = embedded_dashboard
    dashboard.start(web={"trusted_header": "X-Forwarded-User", "trusted_proxies": ["10.0.0.7"]})
    assert dashboard.visitor().get("/queues", x_forwarded_user="ann").status == 303


def test_read_only_shows_everything_and_changes_nothing(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.rows.add([(1, "work", {"n": 1})], status=3)
    dashboard.start(web={"read_only": True})
    visitor = dashboard.member()
    assert visitor.get("/jobs/1").status == 200
    assert visitor.call("/api/retry", {"id": 1}).status == 403
    assert dashboard.rows.job(1)["status"] == 3


def test_metrics_may_be_for_everybody(embedded_dashboard: Dashboard) -> None:
    dashboard = embedded_dashboard
    dashboard.start(web={"public_metrics": True})
    answer = dashboard.visitor().get("/metrics")
    assert answer.status == 200
    assert "qsuper_queue_latency_seconds" in answer.text
    assert dashboard.visitor().get("/api/status").status == 401


def test_the_token_is_made_and_kept_where_nobody_else_reads_it(
    embedded_dashboard: Dashboard,
) -> None:
    dashboard = embedded_dashboard
    dashboard.daemon.write_config(web={"listen": f"127.0.0.1:{dashboard.port}"})
    dashboard.daemon.start()
    dashboard.wait_until_it_answers()
    path = dashboard.daemon.state / "web.token"
    assert path.stat().st_mode & 0o777 == 0o600
    token = path.read_text().strip()
    assert dashboard.visitor().log_in(token).status == 303
    assert token not in dashboard.daemon.log()
    said = dashboard.daemon.cli("web")
    assert str(path) in said.stdout
    assert token not in said.stdout
