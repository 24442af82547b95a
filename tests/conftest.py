"""What every test may use; the servers' fixtures stand in tests/servers/fixtures.py."""

import os
from collections.abc import Generator, Iterator

import pytest

pytest_plugins = ["tests.nothing_skipped", "tests.servers.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def _no_certificates() -> Iterator[None]:
    """PyMySQL reads the system's certificates for every connection: 22 ms, a thousand times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", os.devnull)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What tests log of texts that are no UTF-8 cannot be sent from process to process as it is."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
