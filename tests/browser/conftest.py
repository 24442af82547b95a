"""A browser for the tests of a file, and dashboards to look at with it."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.acceptance.rows import Rows
from tests.browser.visit import Visit
from tests.servers import MariaDB
from tests.servers.program import find_program
from tests.web.dashboard import Dashboard

TABLES: dict[str, Any] = {
    "app": "tests.browser.app:queue",
    "queues": {"default": {"workers": 1}, "mail": {"workers": 1}},
}

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever it wanted to ask besides, it finds no address for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

Visiting = Callable[..., Visit]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Not for longer: while Playwright is there, an event loop runs in this thread, and tests of
    other files may want one of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_program("chromium"), args=list(_FLAGS)
        )
        yield browser
        browser.close()


@pytest.fixture
def visiting(chromium: Browser) -> Iterator[Visiting]:
    """Opens windows; when they are closed none of them has asked anybody but the dashboard, or had
    anything to complain about."""
    visits: list[Visit] = []

    def visit(dashboard: Dashboard, **how: Any) -> Visit:
        visits.append(Visit(chromium, dashboard, **how))
        return visits[-1]

    yield visit
    for one in visits:
        one.close()
    for one in visits:
        assert one.strangers() == set()
        assert one.complaints == []
        assert one.dialogs == []


@pytest.fixture(scope="module")
def seen() -> Iterator[Dashboard]:
    """Started, for tests that look and leave it as it is, or clean up."""
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        yield from _started(Path(name), f"sqlite:///{name}/qsuper.db")


@pytest.fixture
def sqlite_dashboard() -> Iterator[Dashboard]:
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        yield from _started(Path(name), f"sqlite:///{name}/qsuper.db")


@pytest.fixture
def mariadb_dashboard(mariadb: MariaDB) -> Iterator[Dashboard]:
    url = mariadb.create_database()
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        yield from _started(Path(name), url)
    mariadb.drop(url)


@pytest.fixture
def chosen(request: pytest.FixtureRequest) -> Dashboard:
    """The one that the test's parameter names. To be named before `visiting`: windows are closed
    before what they look at."""
    dashboard: Dashboard = request.getfixturevalue(request.param)
    return dashboard


def _started(folder: Path, url: str) -> Iterator[Dashboard]:
    dashboard = Dashboard(folder, Rows(url))
    try:
        dashboard.start(**TABLES)
        yield dashboard
    finally:
        dashboard.daemon.clean_up()
