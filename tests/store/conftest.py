"""Tables to test with: on every engine in turn, or on the one that a test is about."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import MariaDB
from tests.store.callers import KINDS, Caller, calling
from tests.store.table import Table


@pytest.fixture
def table(store_url: str) -> Iterator[Table]:
    """On every engine in turn."""
    table = Table(store_url)
    yield table
    table.close()


@pytest.fixture
def mysql_table(mariadb: MariaDB) -> Iterator[Table]:
    url = mariadb.create_database()
    table = Table(url)
    yield table
    table.close()
    mariadb.drop(url)


@pytest.fixture
def sqlite_table(tmp_path: Path) -> Iterator[Table]:
    table = Table(f"sqlite:///{tmp_path}/qsuper.db")
    yield table
    table.close()


@pytest.fixture(params=KINDS)
def caller(request: pytest.FixtureRequest, table: Table) -> Iterator[Caller]:
    """In the middle of a transaction on every engine, over every kind of connection."""
    with calling(request.param, table) as caller:
        yield caller
