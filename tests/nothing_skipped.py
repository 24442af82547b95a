"""A run counts only when what was collected has passed: a skipped test proves nothing.

Skipped and expected-to-fail tests fail the run always. Deselected ones do when the whole suite was
asked for (QSUPER_TEST_WHOLE=1, set by scripts/test without arguments), since `-k` means to choose.
"""

import os
from collections.abc import Sequence

import pytest


class Census:
    """Counts what became of each collected test."""

    def __init__(self, *, whole: bool) -> None:
        self.whole = whole
        self.collected = 0
        self.passed = 0
        self.not_run: list[str] = []
        self.deselected: list[str] = []

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.deselected += [item.nodeid for item in items]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.not_run.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped or hasattr(report, "wasxfail"):
            self.not_run.append(report.nodeid)
        elif report.when == "call" and report.passed:
            self.passed += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.collected = session.testscollected
        if session.exitstatus == pytest.ExitCode.OK and self.complaint():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Write the last line of the run, below pytest's own."""
        if config.option.collectonly or not self.collected:
            return
        complaint = self.complaint()
        end = f"; the run fails: {complaint}" if complaint else ", nothing skipped"
        config.get_terminal_writer().line(
            f"{self.collected} collected, {self.passed} passed{end}",
            red=bool(complaint),
            green=not complaint,
        )

    def complaint(self) -> str:
        """Return why this run proves less than it seems to, or nothing."""
        left_out = self.not_run + (self.deselected if self.whole else [])
        if left_out:
            return f"{len(left_out)} skipped, xfailed or deselected: {', '.join(left_out)}"
        if self.passed != self.collected:
            return f"{self.collected - self.passed} did not pass"
        return ""


def pytest_configure(config: pytest.Config) -> None:
    if not config.option.collectonly:
        config.pluginmanager.register(Census(whole=os.environ.get("QSUPER_TEST_WHOLE") == "1"))
