"""A browser with many tabs: it opens no more than six connections to one host."""

from playwright.sync_api import Page, expect

from qsuper import Queue
from tests.acceptance.daemon import PATIENCE
from tests.browser.conftest import Visiting
from tests.browser.test_on_call import state, tell
from tests.wait import wait_for
from tests.web.dashboard import Dashboard

COUNTED = """
window.streams = [];
window.EventSource = class extends EventSource {
    constructor(url) { super(url); window.streams.push(this); }
};
"""
OPEN = "window.streams.filter((one) => one.readyState !== EventSource.CLOSED).length"
NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {value: undefined});"
SET_HIDDEN = """(hidden) => {
    Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def streams(page: Page) -> int:
    return int(page.evaluate(OPEN))


def test_eight_tabs_load_stay_live_and_can_do_something(
    sqlite_dashboard: Dashboard, visiting: Visiting
) -> None:
    tell(sqlite_dashboard, "mended")
    job = Queue(sqlite_dashboard.rows.url).add("charge", {"order": "SN1"})
    visit = visiting(sqlite_dashboard)
    visit.log_in()
    visit.page.goto("about:blank")
    visit.page.context.add_init_script(COUNTED)
    tabs = [visit.page.context.new_page() for _ in range(8)]
    for tab in tabs:
        tab.goto(f"{visit.base}/jobs/{job.id}")
        state(tab, "done")
        expect(tab.locator("#live")).to_have_text("live")
    wait_for(lambda: sum(map(streams, tabs)) == 3, PATIENCE, "three tabs listen")
    for tab, claims in ((tabs[0], "3"), (tabs[-1], "5")):
        tab.get_by_role("button", name="Run again").click()
        expect(tab.get_by_role("status")).to_contain_text("will run again")
        for one in tabs:
            expect(one.locator("dt:text-is('Claims') + dd")).to_have_text(claims)
    # Whoever closes a tab leaves its stream to another one.
    for tab in tabs[:5]:
        tab.close()
    wait_for(lambda: sum(map(streams, tabs[5:])) == 3, PATIENCE, "those that are left listen")


def test_without_locks_six_tabs_that_are_seen_keep_nobody_from_doing_something(
    sqlite_dashboard: Dashboard, visiting: Visiting
) -> None:
    tell(sqlite_dashboard, "mended")
    job = Queue(sqlite_dashboard.rows.url).add("charge", {"order": "SN1"})
    visit = visiting(sqlite_dashboard)
    visit.log_in()
    visit.page.goto("about:blank")
    visit.page.context.add_init_script(COUNTED + NO_LOCKS)
    tabs = [visit.page.context.new_page() for _ in range(6)]
    for tab in tabs:
        tab.goto(f"{visit.base}/jobs/{job.id}")
        state(tab, "done")
        expect(tab.locator("#live")).to_have_text("live")
    assert sum(map(streams, tabs)) == 6
    tabs[0].get_by_role("button", name="Run again").click()
    expect(tabs[0].get_by_role("status")).to_contain_text("will run again")


def test_a_tab_that_is_not_seen_does_not_listen(
    sqlite_dashboard: Dashboard, visiting: Visiting
) -> None:
    visit = visiting(sqlite_dashboard)
    visit.log_in()
    visit.page.context.add_init_script(COUNTED)
    page = visit.open("/")
    visit.live()
    assert streams(page) == 1
    page.evaluate(SET_HIDDEN, True)
    assert streams(page) == 0
    page.evaluate(SET_HIDDEN, False)
    wait_for(lambda: streams(page) == 1, PATIENCE, "it listens again")
    visit.live()
    # Nothing has come of what was to be loaded.
    page.evaluate("dispatchEvent(new Event('beforeunload'))")
    assert streams(page) == 0
    wait_for(lambda: streams(page) == 1, PATIENCE, "it listens again")


def test_the_light_goes_out_when_nothing_is_heard(
    sqlite_dashboard: Dashboard, visiting: Visiting
) -> None:
    visit = visiting(sqlite_dashboard)
    visit.log_in()
    deaf = """
    window.deaf = false;
    window.EventSource = class extends EventSource {
        addEventListener(kind, hear) {
            super.addEventListener(kind, (event) => { if (!window.deaf) hear(event); });
        }
    };
    """
    visit.page.context.add_init_script(deaf)
    page = visit.open("/queues")
    visit.live()
    page.evaluate("window.deaf = true")
    expect(page.locator("#live")).to_have_text("not live")
    page.evaluate("window.deaf = false")
    visit.live()
