"""What somebody on call does with the dashboard, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from qsuper import Queue
from tests.acceptance.daemon import PATIENCE
from tests.browser.conftest import Visiting
from tests.browser.visit import DESKTOP, PHONE, Visit
from tests.wait import wait_for
from tests.web.dashboard import TOKEN, Dashboard

STORIES = [
    pytest.param("sqlite_dashboard", DESKTOP, False, id="sqlite-desktop-light"),
    pytest.param("sqlite_dashboard", PHONE, True, id="sqlite-phone-dark"),
    pytest.param("mariadb_dashboard", DESKTOP, True, id="mariadb-desktop-dark"),
    pytest.param("mariadb_dashboard", PHONE, False, id="mariadb-phone-light"),
]


@pytest.mark.parametrize(("chosen", "size", "dark"), STORIES, indirect=["chosen"])
def test_someone_on_call_sees_what_happens_and_mends_it(
    chosen: Dashboard, size: tuple[int, int], dark: bool, visiting: Visiting
) -> None:
    queue = Queue(chosen.rows.url)
    visit = visiting(chosen, size=size, dark=dark)
    visit.log_in()
    watch_a_job(visit, queue)
    mend_a_dead_one(visit, queue)
    pause_and_resume_a_queue(visit)
    scale_to_eight_and_back(visit)
    visit.open("/")
    visit.live()
    visit.shot("overview")


def tell(dashboard: Dashboard, word: str) -> None:
    """Let the jobs of the test's application go on."""
    (dashboard.daemon.folder / f"{dashboard.daemon.journal.name}.{word}").touch()


def state(page: Page, word: str) -> None:
    """Wait until the page of a job shows this state."""
    expect(page.locator("h1 .state")).to_have_text(word)


def watch_a_job(visit: Visit, queue: Queue) -> None:
    """Its states pass by on a page that is loaded once."""
    job = queue.add("resize", {"path": "/srv/sunset.jpg"}, delay=3600)
    page = visit.open(f"/jobs/{job.id}")
    state(page, "scheduled")
    visit.live()
    page.evaluate("window.loadedOnce = true")
    assert visit.dashboard.daemon.cli("run-now", str(job.id)).returncode == 0
    state(page, "running")
    expect(page.locator(".now")).to_contain_text("1 of 4 tiles")
    expect(page.locator(".now progress")).to_have_attribute("value", "0.250")
    tell(visit.dashboard, "quarter")
    expect(page.locator(".now")).to_contain_text("2 of 4 tiles")
    visit.shot("job-running")
    for step in ("half", "whole"):
        tell(visit.dashboard, step)
    state(page, "done")
    expect(page.get_by_role("region", name="Result", exact=True)).to_contain_text('"tiles": 4')
    assert page.evaluate("window.loadedOnce") is True


def mend_a_dead_one(visit: Visit, queue: Queue) -> None:
    """From the list of the dead to its traceback; then it is tried again, and succeeds."""
    job = queue.add("charge", {"order": "SN1"})
    page = visit.open("/dead")
    # The list is counted when it is asked for, and lasts as long as somebody reads it.
    latest = page.locator("[data-label=Latest]").get_by_role("link", name=str(job.id), exact=True)
    wait_for(lambda: page.reload() and latest.count(), PATIENCE, "the job is dead")
    expect(latest).to_be_visible()
    visit.shot("dead")
    latest.click()
    state(page, "dead")
    told = page.get_by_role("region", name="Traceback of attempt 2, claim 2")
    expect(told).to_contain_text("ConnectionRefusedError: the bank does not answer for SN1")
    expect(told).to_be_visible()
    expect(page.get_by_role("region", name="Output of attempt 2, claim 2")).to_have_text(
        "asking the bank about SN1"
    )
    visit.shot("job-dead")
    tell(visit.dashboard, "mended")
    page.get_by_role("button", name=f"Retry job {job.id}").click()
    expect(page.get_by_role("status")).to_contain_text("will run again")
    state(page, "done")


def pause_and_resume_a_queue(visit: Visit) -> None:
    page = visit.open("/queues")
    row = page.locator("tr[data-key=mail]")
    page.get_by_role("button", name="Pause queue mail").click()
    expect(page.get_by_role("status")).to_contain_text("mail is paused")
    expect(row.locator(".state").first).to_have_text("paused")
    visit.shot("queues-paused")
    page.get_by_role("button", name="Resume queue mail").click()
    expect(page.get_by_role("button", name="Pause queue mail")).to_be_visible()


def scale_to_eight_and_back(visit: Visit) -> None:
    page = visit.open("/queues")
    visit.live()
    for wanted, running in (("8", "8/8"), ("auto", "1/1")):
        page.get_by_label("Workers of default").fill(wanted)
        page.get_by_role("button", name="Scale default").click()
        expect(page.get_by_role("status")).to_contain_text("queue default")
        expect(page.locator("tr[data-key=default] [data-label=Workers]")).to_have_text(running)
        if wanted == "8":
            visit.open("/workers")
            expect(page.locator("tr[data-key='default[7]'] .state")).to_have_text("RUNNING")
            visit.shot("workers-eight")
            visit.open("/queues")


def test_the_keyboard_alone_is_enough_to_log_in_and_to_retry(
    sqlite_dashboard: Dashboard, visiting: Visiting
) -> None:
    job = Queue(sqlite_dashboard.rows.url).add("charge", {"order": "SN2"})
    sqlite_dashboard.daemon.wait_until(
        lambda: sqlite_dashboard.rows.job(job.id)["status"] == 3, "the job is dead"
    )
    tell(sqlite_dashboard, "mended")
    visit = visiting(sqlite_dashboard)
    page = visit.page
    page.goto(f"{visit.base}/jobs/{job.id}")
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    state(page, "dead")
    go_to(page, f"Retry job {job.id}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("will run again")
    state(page, "done")


FOCUSED = """(() => {
    const at = document.activeElement;
    const label = at.getAttribute("aria-label") || at.textContent.trim();
    return [label, getComputedStyle(at).outlineStyle];
})()"""


def go_to(page: Page, name: str) -> None:
    """By the Tab key, and each place on the way can be seen."""
    ways = []
    for _ in range(60):
        page.keyboard.press("Tab")
        label, outline = page.evaluate(FOCUSED)
        ways.append(label)
        assert outline != "none", f"nobody sees the focus on {label!r}"
        if label == name:
            return
    raise AssertionError(f"Tab does not lead to {name!r}: {ways}")


def test_the_focus_stays_where_it_is_while_numbers_change(
    sqlite_dashboard: Dashboard, visiting: Visiting
) -> None:
    visit = visiting(sqlite_dashboard)
    visit.log_in()
    page = visit.open("/queues")
    visit.live()
    page.get_by_label("Workers of default").fill("5")
    queue = Queue(sqlite_dashboard.rows.url)
    for order in range(3):
        queue.add("cancel_order", {"order": order})
    done = page.locator("tr[data-key=default] [data-label=Done]")
    expect(done).to_have_text("3")
    expect(page.get_by_label("Workers of default")).to_be_focused()
    expect(page.get_by_label("Workers of default")).to_have_value("5")


def test_many_dead_jobs_are_retried_after_a_question(
    sqlite_dashboard: Dashboard, visiting: Visiting
) -> None:
    tell(sqlite_dashboard, "mended")
    queue = Queue(sqlite_dashboard.rows.url)
    visit = visiting(sqlite_dashboard)
    visit.log_in()
    rows = [(number, "cancel_order", {"order": number}) for number in range(1, 1102)]
    sqlite_dashboard.rows.add(rows, status=3)
    sqlite_dashboard.rows.run(
        "INSERT INTO attempts (job_id, claims, attempt, outcome, error)"
        " SELECT id, 1, 1, 'dead', 'no such order' FROM queue"
    )
    page = visit.open("/dead")
    page.get_by_role("link", name="Retry 1,101 …").click()
    expect(page.get_by_role("heading", name="Retry 1,101 dead jobs?")).to_be_visible()
    visit.shot("bulk")
    page.get_by_role("button", name="Retry them").click()
    expect(page.get_by_role("status")).to_contain_text("1,101 jobs will run again")
    last = queue.add("cancel_order", {"order": "last"})
    visit.open(f"/jobs/{last.id}")
    state(page, "done")
    visit.open("/dead")
    expect(page.get_by_text("No job is dead.")).to_be_visible()
