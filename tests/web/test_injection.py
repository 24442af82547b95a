"""What strangers write into rows is shown, and never obeyed."""

import html
import json
import re
from urllib.parse import quote

import pytest

from qsuper.roles.web.pages import PAGES
from tests.web.dashboard import Dashboard, Visitor
from tests.web.markup import HOSTILE, faults

_QUERIES = {"/bulk": "?action=retry-many&state=dead"}
PAGES_WITH_ROWS = [re.sub(r"{.*}", "1", page.path) + _QUERIES.get(page.path, "") for page in PAGES]
MARK = "alert(1)"


@pytest.fixture(scope="module")
def member(dashboard: Dashboard) -> Visitor:
    """Of a dashboard over rows that are as hostile as rows can be."""
    rows = dashboard.rows
    short = HOSTILE[:100]
    for number, status in enumerate((3, 4, 1, 5, 3), 1):
        param = {HOSTILE: [HOSTILE], "n": number}
        rows.add(
            [(number, short, param)],
            status=status,
            name=f"{number}{short}",
            queue=f"{short[:50]}",
            run_at="2037-01-01 00:00:00.000",
            progress=HOSTILE,
            result=json.dumps(HOSTILE),
            headers=json.dumps({HOSTILE: HOSTILE}),
            held_by=short,
            worker=short[:60],
        )
        rows.run(
            "INSERT INTO attempts (job_id, claims, attempt, worker, node, started_at, ended_at,"
            " outcome, error, traceback, output) VALUES (:id, 1, 1, :text, :text,"
            " '2026-11-20 10:00:00.000', '2026-11-20 10:00:01.000', 'error', :text, :text, :text)",
            id=number,
            text=HOSTILE,
        )
    rows.run(
        "INSERT INTO watched_keys (db, name, name_hash, deadline, kind, value, state)"
        " VALUES (15, :raw, x'00', 4000000000000, 'string', :raw, 0)",
        raw=HOSTILE.encode(),
    )
    rows.run(
        "INSERT INTO schedules (name, definition) VALUES (:name, :definition)",
        name=short,
        definition=json.dumps({"cron": "* * * * *", "timezone": "UTC", "task": HOSTILE}),
    )
    rows.run("INSERT INTO queues (name, paused) VALUES (:name, 1)", name=short[:50])
    return dashboard.member()


def test_the_checker_finds_what_is_not_escaped() -> None:
    """The control: the same text in a page that does not escape it."""
    found = list(faults(f"<p title='{HOSTILE}'>{HOSTILE}</p>".replace("{{7*191}}", "1337")))
    assert "a script in the page" in found
    assert any("onerror" in one for one in found)
    assert any("javascript:" in one for one in found)
    assert any("a comment" in one for one in found)
    assert any("computed" in one for one in found)
    assert any("control character" in one for one in found)
    assert not list(faults(f"<p>{html.escape('<script>alert(1)</script>')}</p>"))


@pytest.mark.parametrize("path", PAGES_WITH_ROWS)
def test_what_stands_in_rows_is_only_shown(
    dashboard: Dashboard, member: Visitor, path: str
) -> None:
    page = member.get(path)
    assert page.status == 200, page.text
    assert not list(faults(page.text))


@pytest.mark.parametrize("path", ["/jobs", "/jobs/1", "/dead", "/timers", "/schedules"])
def test_it_is_shown(member: Visitor, path: str) -> None:
    """The control: the text is there, escaped."""
    assert MARK in html.unescape(member.get(path).text)


@pytest.mark.parametrize("path", PAGES_WITH_ROWS)
def test_what_stands_in_an_address_is_only_shown(member: Visitor, path: str) -> None:
    hostile = quote(HOSTILE, safe="")
    names = ("task", "queue", "name", "error", "text", "state", "before", "since", "group", "back")
    query = "&".join(f"{name}={hostile}" for name in names)
    answer = member.get(f"{path.partition('?')[0]}?{query}")
    assert not list(faults(answer.text))
    assert not list(faults(member.get(f"/login?back={hostile}").text))


def test_what_an_action_says_of_it_is_only_shown(member: Visitor) -> None:
    fields = {"csrf": member.csrf(), "queue": HOSTILE[:50], "back": "/queues"}
    member.post("/do/resume-queue", fields)
    page = member.get("/queues").text
    assert "goes on" in page or "no queue" in page
    assert not list(faults(page))
    member.post("/do/restart", {"csrf": member.csrf(), "name": HOSTILE, "back": "/queues"})
    assert not list(faults(member.get("/queues").text))


def test_json_is_json_and_no_page(member: Visitor) -> None:
    for path in ("/api/jobs", "/api/jobs/1", "/api/dead", "/api/timers", "/api/schedules"):
        answer = member.get(path)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert MARK in json.dumps(answer.json)


def test_the_log_keeps_to_its_lines(dashboard: Dashboard, member: Visitor) -> None:
    member.get("/nowhere/%0a2026-01-01%20forged")
    member.send("GET", "/x%0D%0ASet-Cookie:a=b", authorization="Bearer \x1b[31m")
    lines = dashboard.daemon.log().splitlines()
    assert all(line.startswith("20") and not line.startswith("2026-01-01") for line in lines)
    assert "\x1b" not in dashboard.daemon.log()
    assert "/nowhere/" in dashboard.daemon.log(), "the control: what is asked for is logged"
