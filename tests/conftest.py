"""What every test may use; the servers' fixtures stand in tests/servers/fixtures.py."""

import os
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.nothing_skipped", "tests.servers.fixtures"]


@pytest.fixture(scope="session", autouse=True)
def _no_certificates() -> Iterator[None]:
    """PyMySQL reads the system's certificates for every connection: 22 ms, a thousand times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", os.devnull)
        yield
