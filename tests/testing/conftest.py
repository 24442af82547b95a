"""A small application on an empty database, on every engine in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qsuper import Queue
from qsuper.config import load
from qsuper.testing import Clock, empty_database

CONFIG = """
[job]
max_attempts = 3
[job.backoff]
base = "10s"
[tasks.resize]
queue = "pictures"
"""


@pytest.fixture
def app(tmp_path: Path) -> Queue:
    """A Queue as an application has made it, on a database that no test may touch."""
    file = tmp_path / "qsuper.toml"
    file.write_text(CONFIG)
    return Queue(config=load(file, environ={}))


@pytest.fixture
def queue(app: Queue, store_url: str) -> Iterator[Queue]:
    url = None if store_url.startswith("sqlite") else store_url
    with empty_database(app, url) as queue:
        yield queue


@pytest.fixture
def clock(queue: Queue) -> Clock:
    return Clock(queue)
