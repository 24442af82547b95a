"""What pages answer to addresses that people type, and to rows that nobody should have written."""

import json

import pytest

from qsuper.roles.web.pages.job import ATTEMPTS_MOST
from tests.web.dashboard import Dashboard

PAGES = (
    "/",
    "/queues",
    "/workers",
    "/jobs",
    "/jobs/1",
    "/jobs/2",
    "/jobs/3",
    "/jobs/4",
    "/timers",
    "/schedules",
    "/dead",
)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/jobs?state=gone", 400, "is no state: choose one of"),
        ("/jobs?since=yesterday", 400, "is no moment: write 2h"),
        ("/jobs?before=-1", 400, "is no id"),
        ("/jobs?before=99999999999999999999", 400, "is no id"),
        ("/jobs?task=%F0%9F%92%A9&until=9999-12-31", 200, "No job fits"),
        ("/bulk", 400, "choose jobs of one state"),
        ("/bulk?action=retry-many&state=ready", 400, "choose jobs of one state"),
        ("/bulk?action=reload&state=dead", 400, "choose jobs of one state"),
        ("/jobs/99", 404, "there is no job 99"),
        ("/jobs/99999999999999999999", 404, "there is no job"),
        ("/?span=year", 200, "The last hour"),
    ],
)
def test_an_address_that_makes_no_sense_is_answered_in_plain_words(
    dashboard: Dashboard, path: str, status: int, words: str
) -> None:
    answer = dashboard.member().get(path)
    assert (answer.status, words in answer.text) == (status, True), answer.text


def test_pages_are_shown_whatever_a_foreign_writer_has_put_into_the_rows(
    embedded_dashboard: Dashboard,
) -> None:
    embedded_dashboard.start()
    rows = embedded_dashboard.rows
    raw = "CAST(X'ff3c713e' AS TEXT)"
    for number, status in enumerate((3, 4), 1):
        for place, queue in enumerate(("'default'", raw)):
            rows.run(
                "INSERT INTO queue"
                " (id, task, param, name, status, headers, result, progress, run_at, queue)"
                f" VALUES ({number + 2 * place}, {raw}, {raw}, {raw} || {place}, {status}, {raw},"
                f" {raw}, {raw}, '2037-01-01 00:00:00.000', {queue})"
            )
    rows.run(
        "INSERT INTO attempts (job_id, claims, attempt, outcome, error, traceback, output)"
        f" VALUES (1, 0, 0, 'dead', {raw}, {raw}, {raw})"
    )
    rows.run(
        "INSERT INTO schedules (name, definition) VALUES ('s', :definition)",
        definition=json.dumps({"cron": "\udcff", "task": 5}),
    )
    visitor = embedded_dashboard.member()
    for path in PAGES:
        page = visitor.get(path)
        assert page.status == 200, f"{path}: {page.text}"
        assert "<q>" not in page.text, path
    assert "\\udcff&lt;q&gt;" in visitor.get("/jobs/1").text
    visitor = embedded_dashboard.visitor()
    for path in ("/api/jobs", "/api/jobs/1", "/api/jobs/3", "/api/timers", "/api/dead"):
        assert "\\udcff<q>" in json.dumps(visitor.read(path), ensure_ascii=False).replace(
            "\\\\", "\\"
        ), path
    answer = visitor.call("/api/pause-queue", {"queue": "nobody's"})
    assert (answer.status, "there is no queue" in answer.text) == (409, True), answer.text


def test_of_a_job_that_failed_again_and_again_the_newest_attempts_are_shown(
    dashboard: Dashboard,
) -> None:
    rows = dashboard.rows
    rows.run("INSERT INTO queue (id, task, queue, status) VALUES (70, 't', 'nobody', 3)")
    rows.run(
        "INSERT INTO attempts (job_id, claims, attempt, outcome, error, traceback)"
        " WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 400)"
        " SELECT 70, n, n, 'failed', 'error ' || n, printf('%.*c', 20000, 'x') FROM n"
    )
    page = dashboard.member().get("/jobs/70").text
    assert page.count('<article class="attempt">') == ATTEMPTS_MOST
    assert page.index("error 400<") < page.index("error 399<") < page.index("error 351<")
    assert "error 350<" not in page
    assert f"The newest {ATTEMPTS_MOST} of 400: <code>qsuper show 70 --json</code>" in page
    assert len(page) < 200_000
    assert len(dashboard.visitor().read("/api/jobs/70")["attempts"]) == 400
