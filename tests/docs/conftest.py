"""A place for a page, and the servers it names."""

from collections.abc import Callable, Iterator

import pytest

from tests.docs.place import Place
from tests.servers import MariaDB, Redis
from tests.servers.server import free_port


@pytest.fixture
def ports(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Start what a page names, when it is first named; the port it has here."""
    known: dict[str, str] = {}
    mariadb: MariaDB | None = None

    def port(address: str) -> str:
        nonlocal mariadb
        if address in known:
            return known[address]
        if address.endswith(":3306"):
            mariadb = request.getfixturevalue("mariadb")
            for statement in SHOP_ACCOUNT:
                mariadb.query(statement)
            known[address] = str(mariadb.port)
        elif address.endswith(":6379"):
            start: Callable[[], Redis] = request.getfixturevalue("own_redis")
            known[address] = str(start().port)
        else:
            known[address] = str(free_port())
        return known[address]

    yield port
    if mariadb is not None:
        mariadb.query("DROP DATABASE shop")
        mariadb.query("DROP USER shop")


SHOP_ACCOUNT = (
    "CREATE DATABASE shop",
    "CREATE USER shop IDENTIFIED BY 'secret'",
    "GRANT ALL ON shop.* TO shop",
)
"""What the administrator of a page's database has done before the page begins."""


@pytest.fixture
def place(ports: Callable[[str], str]) -> Iterator[Place]:
    place = Place(ports)
    yield place
    place.close()
