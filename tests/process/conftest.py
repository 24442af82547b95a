"""A node of its own for each test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.harness import Node


@pytest.fixture
def node() -> Iterator[Node]:
    # Not pytest's own folder: its path may be too long for a unix socket.
    with tempfile.TemporaryDirectory(prefix="qsuper-") as folder:
        node = Node(Path(folder))
        try:
            yield node
        finally:
            node.clean_up()
