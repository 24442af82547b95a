"""Somebody with a browser: what they see, and what their browser did behind their back."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, expect

from tests.web.dashboard import TOKEN, Dashboard

TOP = Path(__file__).parents[2]
VARIABLE = "QSUPER_TEST_ARTIFACTS"
"""Names the folder for screenshots."""
DESKTOP, PHONE = (1280, 800), (390, 844)
PATIENCE = 60_000.0
"""Milliseconds for what takes a moment on an idle machine."""
PAGES = (
    "/",
    "/?span=day",
    "/queues",
    "/workers",
    "/jobs",
    "/timers",
    "/timers?all=1",
    "/schedules",
    "/dead",
    "/nodes",
)
"""Those that have a fixed address."""

expect.set_options(timeout=PATIENCE)


class Visit:
    """One window, with nothing in its store."""

    def __init__(
        self,
        browser: Browser,
        dashboard: Dashboard,
        *,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        scripts: bool = True,
    ) -> None:
        self.dashboard = dashboard
        self.base = f"http://127.0.0.1:{dashboard.port}"
        self.look = f"{'phone' if size == PHONE else 'desktop'}-{'dark' if dark else 'light'}"
        self.asked: list[str] = []
        """Every address that the browser asked for."""
        self.complaints: list[str] = []
        """Errors that it has noted: of scripts, of the policy, of what was not there."""
        self.dialogs: list[str] = []
        self._context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
        )
        self._context.set_default_timeout(PATIENCE)
        self._context.on("request", lambda request: self.asked.append(request.url))
        self.page: Page = self._context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dismiss)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def log_in(self) -> None:
        self.page.goto(f"{self.base}/login")
        self.page.get_by_label("Token").fill(TOKEN)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("heading", name="Overview")).to_be_visible()

    def open(self, path: str) -> Page:
        answer = self.page.goto(self.base + path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status} {answer.text()}"
        return self.page

    def live(self) -> None:
        """Wait until the page hears of what happens."""
        expect(self.page.locator("#live")).to_have_text("live")

    def shot(self, name: str) -> None:
        """Keep a picture of the whole page."""
        folder = Path(os.environ.get(VARIABLE, TOP / "build" / "artifacts"))
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}-{self.look}.png", full_page=True)

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def strangers(self) -> set[str]:
        """Hosts besides ours that the browser has asked."""
        places = {urlsplit(url) for url in self.asked}
        ours = urlsplit(self.base).netloc
        return {one.netloc for one in places if one.scheme not in ("data", "blob", "about")} - {
            ours
        }

    def close(self) -> None:
        self._context.close()
