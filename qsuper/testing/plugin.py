"""Fixtures for pytest, for whoever asks for them: `pytest_plugins = ["qsuper.testing.plugin"]` in
the topmost conftest.py. Any of them may be defined anew there.
"""

import importlib
import os
import sys
from collections.abc import Iterator

import pytest

from qsuper.client import Queue
from qsuper.config import load
from qsuper.errors import AppError
from qsuper.testing.clock import Clock
from qsuper.testing.tables import empty_database


@pytest.fixture(scope="session")
def qsuper_app() -> Queue:
    """The application's Queue: that of `app` in the configuration."""
    config = load(environ=os.environ)
    if config.app is None:
        raise AppError("no app is configured here: define a fixture `qsuper_app` with your Queue")
    module, _, name = config.app.partition(":")
    if config.folder not in sys.path:
        sys.path.insert(0, config.folder)
    queue = getattr(importlib.import_module(module), name, None)
    if not isinstance(queue, Queue):
        raise AppError(f"app = {config.app!r}: {module} has no Queue named {name!r}")
    return queue


@pytest.fixture(scope="session")
def qsuper_url() -> str | None:
    """The URL of the database for tests; None means a SQLite file of each test's own."""
    return None


@pytest.fixture
def qsuper_queue(qsuper_app: Queue, qsuper_url: str | None) -> Iterator[Queue]:
    """The application's Queue on an empty database."""
    with empty_database(qsuper_app, qsuper_url) as queue:
        yield queue


@pytest.fixture
def qsuper_clock(qsuper_queue: Queue) -> Clock:
    """A clock that can be moved."""
    return Clock(qsuper_queue)
