"""Every page as it is for those who see little, own a phone, or have switched scripts off."""

import json
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.acceptance.daemon import PATIENCE
from tests.browser.conftest import Visiting
from tests.browser.hostile import fill
from tests.browser.visit import DESKTOP, PAGES, PHONE, Visit
from tests.wait import wait_for
from tests.web.dashboard import TOKEN, Dashboard

GRAVE = ("serious", "critical")


def faults(page: Page) -> list[str]:
    """What Axe finds that keeps somebody from using the page."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {json.dumps([node['html'] for node in one['nodes']])[:500]}"
        for one in found
        if one["impact"] in GRAVE
    ]


@pytest.fixture(scope="module")
def paths(seen: Dashboard) -> tuple[str, ...]:
    """Every page, with rows to show of every kind."""
    ids = fill(seen)
    one = next(iter(ids))
    bulk = "/bulk?action=retry-many&state=dead&task=<b>task</b>"
    return (*PAGES, *(f"/jobs/{number}" for number in ids), f"/jobs?state=dead&before={one}", bulk)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_no_serious_fault_on_any_page(
    seen: Dashboard,
    paths: tuple[str, ...],
    visiting: Visiting,
    size: tuple[int, int],
    dark: bool,
) -> None:
    visit = visiting(seen, size=size, dark=dark)
    visit.page.goto(f"{visit.base}/login")
    assert faults(visit.page) == []
    visit.log_in()
    for path in paths:
        page = visit.open(path)
        assert faults(page) == [], path
        visit.shot(f"page{re.sub(r'[^a-z0-9]+', '-', path)}")


def test_axe_would_find_a_field_without_a_label(seen: Dashboard, visiting: Visiting) -> None:
    visit = visiting(seen)
    visit.page.goto(f"{visit.base}/login")
    visit.page.evaluate("document.querySelector('label').remove()")
    assert any(fault.startswith("label") for fault in faults(visit.page))


def test_no_page_is_wider_than_a_phone(
    seen: Dashboard, paths: tuple[str, ...], visiting: Visiting
) -> None:
    visit = visiting(seen, size=PHONE)
    visit.log_in()
    for path in paths:
        visit.open(path)
        assert visit.overflow() <= 0, path
    # The look sees what is too wide.
    visit.page.evaluate("document.querySelector('h1').textContent = 'x'.repeat(80)")
    visit.page.add_style_tag(url="/static/dashboard.css")
    visit.page.evaluate("document.querySelector('h1').style.whiteSpace = 'pre'")
    visit.page.evaluate("document.querySelector('h1').style.overflowWrap = 'normal'")
    assert visit.overflow() > 0


def test_without_scripts_everything_can_be_read_and_done(
    seen: Dashboard, paths: tuple[str, ...], visiting: Visiting
) -> None:
    visit = visiting(seen, scripts=False)
    visit.log_in()
    for path in paths:
        page = visit.open(path)
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("#theme")).to_be_hidden()
    page = visit.open("/queues")
    page.get_by_role("button", name="Pause queue mail").click()
    expect(page.get_by_role("status")).to_contain_text("mail is paused")
    resume = page.get_by_role("button", name="Resume queue mail")
    # Nobody tells this page that the pause has come about.
    wait_for(lambda: page.reload() and resume.count(), PATIENCE, "the queue is paused")
    resume.click()
    expect(page.get_by_role("status")).to_contain_text("mail goes on")


def test_the_theme_that_was_chosen_is_kept(seen: Dashboard, visiting: Visiting) -> None:
    visit = visiting(seen)
    visit.log_in()
    page = visit.page
    switch = page.get_by_role("button", name="Theme")
    light = paper(page)
    expect(switch).to_have_text("Theme: auto")
    switch.click()
    assert paper(page) == light
    switch.click()
    expect(switch).to_have_text("Theme: dark")
    dark = paper(page)
    assert dark != light
    visit.open("/jobs")
    assert paper(page) == dark
    page.get_by_role("button", name="Theme").click()
    assert paper(page) == light


def paper(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_a_dashboard_that_is_read_only_has_no_buttons_that_do_something(
    sqlite_dashboard: Dashboard, visiting: Visiting
) -> None:
    ids = fill(sqlite_dashboard)
    sqlite_dashboard.configure(
        web={"read_only": True}, app="tests.browser.app:queue", queues={"mail": {"workers": 1}}
    )
    sqlite_dashboard.daemon.ask("reload")
    visit = visiting(sqlite_dashboard)

    def forms() -> int:
        return visit.page.locator("form[action^='/do/']").count()

    sqlite_dashboard.daemon.wait_until(
        lambda: read_only(sqlite_dashboard), "the dashboard is read-only"
    )
    visit.log_in()
    for path in (*PAGES, *(f"/jobs/{number}" for number in ids)):
        visit.open(path)
        assert forms() == 0, path


def read_only(dashboard: Dashboard) -> bool:
    try:
        page = dashboard.visitor().get("/queues", authorization=f"Bearer {TOKEN}")
    except OSError:
        return False
    return page.status == 200 and "/do/" not in page.text


def test_the_look_for_strangers_sees_one(seen: Dashboard, visiting: Visiting) -> None:
    visit = visiting(seen)
    own = Visit(visit.page.context.browser, seen)  # type: ignore[arg-type]
    own.page.goto("about:blank")
    own.page.set_content("<img src='http://elsewhere.invalid/x.png'>")
    own.close()
    assert own.strangers() == {"elsewhere.invalid"}
