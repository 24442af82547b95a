"""What is in rows is shown, and never becomes a part of the page."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hostile
from tests.browser.conftest import Visiting
from tests.browser.hostile import fill
from tests.browser.visit import PAGES
from tests.web.dashboard import Dashboard

STOLEN = "window.stolen || 0"


@pytest.mark.parametrize(
    "chosen", ["sqlite_dashboard", "mariadb_dashboard"], indirect=True, ids=["sqlite", "mariadb"]
)
def test_nothing_that_stands_in_a_row_runs_in_the_browser(
    chosen: Dashboard, visiting: Visiting
) -> None:
    ids = fill(chosen)
    visit = visiting(chosen)
    visit.log_in()
    searches = ("/jobs?text=<script>", f"/jobs?queue={hostile.IMAGE}", "/jobs?name=%22%3E<svg>")
    bulk = f"/bulk?action=retry-many&state=dead&error={hostile.IMAGE}"
    for path in (*PAGES, *(f"/jobs/{number}" for number in ids), *searches, bulk):
        page = visit.open(path)
        # Live numbers are put into the page by another way.
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        if page.locator("main[data-live]").count():
            expect(page.locator("#live")).to_have_text("live")
        assert page.evaluate(STOLEN) == 0, path
        assert page.locator("img, iframe, object, embed").count() == 0, path
        assert page.locator("script:not([src])").count() == 0, path
        assert page.locator("[onerror], [onload], [href^='javascript:']").count() == 0, path
        assert hostile.PRODUCT not in page.inner_text("body"), path
        assert "\u202e" not in page.content(), path
    shows_what_there_is(visit.open("/jobs/7"))


def shows_what_there_is(page: Page) -> None:
    expect(page.locator(".attempt .bad")).to_contain_text(hostile.SCRIPT)
    expect(page.locator(".attempt .bad")).to_contain_text("\\u202egnp.exe\\x1b[2J\\x07")


def test_the_look_for_stolen_things_sees_one(
    sqlite_dashboard: Dashboard, visiting: Visiting
) -> None:
    page = visiting(sqlite_dashboard).page
    page.set_content(f"<main>{hostile.BREAKOUT}</main>")
    page.wait_for_function(f"({STOLEN}) > 0")
