"""A dashboard of its own for a test, or one for all tests of a file."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.web.dashboard import Dashboard


@pytest.fixture
def own_dashboard(store_url: str) -> Iterator[Dashboard]:
    """Not yet started, on every engine in turn."""
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        dashboard = Dashboard(Path(name), Rows(store_url))
        try:
            yield dashboard
        finally:
            dashboard.daemon.clean_up()


@pytest.fixture
def embedded_dashboard() -> Iterator[Dashboard]:
    """Not yet started, for what does not depend on the engine."""
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        dashboard = Dashboard(Path(name), Rows(f"sqlite:///{name}/qsuper.db"))
        try:
            yield dashboard
        finally:
            dashboard.daemon.clean_up()


@pytest.fixture(scope="module")
def dashboard() -> Iterator[Dashboard]:
    """Started; for tests that leave it as it is."""
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        dashboard = Dashboard(Path(name), Rows(f"sqlite:///{name}/qsuper.db"))
        try:
            dashboard.start(log={"level": "debug"})
            yield dashboard
        finally:
            dashboard.daemon.clean_up()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    return Figures(request.node.name)
