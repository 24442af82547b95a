"""The fixtures: one shared server of each kind for the run, and servers of a test's own."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.mariadb import MariaDB, make_template
from tests.servers.mysql import MySQL
from tests.servers.redis import Redis
from tests.servers.shifted import ShiftedMariaDB

MYSQL_URL = os.environ.get("QSUPER_TEST_MYSQL_URL")
STORES = ["sqlite", "mariadb", *(["mysql"] if MYSQL_URL else [])]


@pytest.fixture(scope="session")
def mariadb_template() -> Iterator[Path]:
    data = make_template()
    yield data
    shutil.rmtree(data.parent)


@pytest.fixture(scope="session")
def mariadb(mariadb_template: Path) -> Iterator[MariaDB]:
    """The shared MariaDB: take a database of it, and leave the server as it is."""
    server = MariaDB(mariadb_template)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def own_mariadb(mariadb_template: Path) -> Iterator[Callable[..., MariaDB]]:
    """Start a MariaDB for this test alone, to be stopped, killed, frozen or set up otherwise."""
    servers: list[MariaDB] = []

    def start(**options: object) -> MariaDB:
        servers.append(MariaDB(mariadb_template, **options))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.remove()


@pytest.fixture
def shifted_mariadb(mariadb_template: Path) -> Iterator[ShiftedMariaDB]:
    """A MariaDB for this test alone, whose clock it may set."""
    server = ShiftedMariaDB(mariadb_template)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """The shared Redis: call `empty()` first, and leave the server as it is."""
    server = Redis()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def own_redis() -> Iterator[Callable[..., Redis]]:
    """Start a Redis for this test alone, to be stopped, killed, frozen or set up otherwise."""
    servers: list[Redis] = []

    def start(**options: object) -> Redis:
        servers.append(Redis(**options))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.remove()


@pytest.fixture(params=STORES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, empty database, on every engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/qsuper.db"
        return
    server: MySQL
    if request.param == "mariadb":
        server = request.getfixturevalue("mariadb")
    else:
        assert MYSQL_URL is not None
        server = MySQL(MYSQL_URL)
    url = server.create_database()
    yield url
    server.drop(url)
