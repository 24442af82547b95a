"""A bench on every engine in turn, or on the one that a test is about."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.roles.bench import Bench
from tests.servers import MariaDB
from tests.store.table import Table


@pytest.fixture(autouse=True)
def _own_alarm() -> Iterator[None]:
    """A runner takes the alarm of the process it is in."""
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def bench(store_url: str, tmp_path: Path) -> Iterator[Bench]:
    yield from _bench(store_url, tmp_path)


@pytest.fixture
def sqlite_bench(tmp_path: Path) -> Iterator[Bench]:
    yield from _bench(f"sqlite:///{tmp_path}/qsuper.db", tmp_path)


@pytest.fixture
def mysql_bench(mariadb: MariaDB, tmp_path: Path) -> Iterator[Bench]:
    url = mariadb.create_database()
    yield from _bench(url, tmp_path)
    mariadb.drop(url)


def _bench(url: str, folder: Path) -> Iterator[Bench]:
    table = Table(url)
    bench = Bench(table, folder / "bench")
    yield bench
    bench.close()
    table.close()
