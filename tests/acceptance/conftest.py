"""A daemon, its database, and a place for figures."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import MariaDB


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    return Figures(request.node.name)


@pytest.fixture
def rows(store_url: str) -> Rows:
    """The tables on every engine in turn."""
    return Rows(store_url)


@pytest.fixture
def mariadb_rows(mariadb: MariaDB) -> Iterator[Rows]:
    """The tables on MariaDB only."""
    url = mariadb.create_database()
    yield Rows(url)
    mariadb.drop(url)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path leaves room for a unix socket; pytest's own may not."""
    with tempfile.TemporaryDirectory(prefix="qsuper-") as name:
        yield Path(name)


@pytest.fixture
def daemon(rows: Rows, folder: Path) -> Iterator[Daemon]:
    """A daemon over `rows`, not yet started."""
    daemon = Daemon(folder, rows.url)
    yield daemon
    daemon.clean_up()


@pytest.fixture
def mariadb_daemon(mariadb_rows: Rows, folder: Path) -> Iterator[Daemon]:
    """A daemon over `mariadb_rows`, not yet started."""
    daemon = Daemon(folder, mariadb_rows.url)
    yield daemon
    daemon.clean_up()
