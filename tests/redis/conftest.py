"""An empty Redis, and our way to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from qsuper.redis.server import Server
from tests.servers import Redis


@pytest.fixture
def client(redis_server: Redis) -> Iterator["redis.Redis"]:
    """Somebody who sets keys in the shared Redis, which is empty and tells all."""
    redis_server.empty()
    with redis.Redis.from_url(redis_server.socket_url()) as client:
        client.config_set("notify-keyspace-events", "KA")
        yield client
        client.config_set("notify-keyspace-events", "")


@pytest.fixture
def user(redis_server: Redis, client: "redis.Redis") -> Iterator[Callable[..., Server]]:
    """Our way to it as a user who has only these rights."""
    servers: list[Server] = []

    def make(*rights: str) -> Server:
        redis_cli(client, "ACL", "SETUSER", "shop", "reset", "on", "nopass", *rights)
        servers.append(Server(redis_server.url().replace("//", "//shop:x@")))
        return servers[-1]

    yield make
    for server in servers:
        server.close()
    redis_cli(client, "ACL", "DELUSER", "shop")


@pytest.fixture
def server(redis_server: Redis) -> Iterator[Server]:
    server = Server(redis_server.url())
    yield server
    server.close()


def redis_cli(client: Any, *words: str) -> Any:
    """A command in its own words."""
    return client.execute_command(*words)
