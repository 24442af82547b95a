"""One Redis: connections to its databases, its clock, and its errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from qsuper.config import redact_url
from qsuper.errors import QsuperError, RedisError, RedisUnavailable

ANSWER_TIMEOUT = 3.0
"""Seconds after which a server that keeps silent counts as frozen."""
_OLDEST = {"redis": (7, 0), "valkey": (7, 2)}
"""PEXPIRETIME, without which a key's generation cannot be told, came with Redis 7.0."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which program serves, and which version of it; None where INFO may not be asked."""

    name: str
    number: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name.capitalize()} {'.'.join(map(str, self.number))}"

    @property
    def is_too_old(self) -> bool:
        return self.number < _OLDEST[self.name]


class Server:
    """Opens nothing until asked; not for two threads, nor for use on both sides of a fork."""

    def __init__(self, url: str, *, timeout: float = ANSWER_TIMEOUT) -> None:
        """`timeout` in seconds; raises `RedisError` when the URL is none."""
        self.url = url
        self._timeout = timeout
        self._clients: dict[int | None, Any] = {}
        with self.words():
            pool = redis.ConnectionPool.from_url(url)
        try:
            pool.connection_class(**pool.connection_kwargs)
        except TypeError as error:
            raise RedisError(f"{self}: {_first_line(error)}; take it out of redis.url") from error
        if "protocol" in pool.connection_kwargs:
            raise RedisError(f"{self}: take protocol out of redis.url, it is chosen here")
        self.db = int(pool.connection_kwargs.get("db") or 0)
        """The number of the database that the URL names."""

    def __str__(self) -> str:
        return redact_url(self.url)

    def client(self, db: int | None = None) -> Any:
        """A client of one database, without it of that of the URL.

        A connection that was closed while it idled is made anew, once and in silence; what does
        not answer is never asked twice.
        """
        number = self.db if db is None else db
        if number not in self._clients:
            retry = Retry(NoBackoff(), 1, (redis.ConnectionError,))
            self._clients[number] = redis.Redis(connection_pool=self._pool(number, retry))
        return self._clients[number]

    def connection(self) -> Any:
        """A connection for messages, connected, which nobody makes anew behind our back."""
        with self.words():
            connection = self._pool(self.db, Retry(NoBackoff(), 0)).make_connection()
            connection.connect()  # type: ignore[no-untyped-call]
        return connection

    def _pool(self, db: int, retry: Retry) -> redis.ConnectionPool:
        with self.words():
            pool = redis.ConnectionPool.from_url(self.url, protocol=2)
        # Over what the URL says, which `from_url` would not let us do.
        pool.connection_kwargs |= {
            "db": db,
            "retry": retry,
            "socket_connect_timeout": self._timeout,
            "socket_timeout": self._timeout,
            "decode_responses": False,
            "protocol": 2,
            # Its PINGs would be answered amid what is pushed.
            "health_check_interval": 0,
            "client_name": "qsuper",
        }
        return pool

    def version(self) -> Version | None:
        """Raises `RedisError`, or `RedisUnavailable`."""
        with self.words():
            try:
                info = self.client().info("server")
            except redis.exceptions.NoPermissionError:
                return None
        name = "valkey" if "valkey_version" in info else "redis"
        text = str(info.get(f"{name}_version", "0"))
        return Version(name, tuple(int(part) for part in text.split(".") if part.isdigit()))

    def check_version(self) -> Version | None:
        """Raises `RedisError` for a server that is too old for watched keys."""
        found = self.version()
        if found is not None and found.is_too_old:
            raise RedisError(
                f"{self}: {found} is too old to watch keys; it takes Redis 7.0 or Valkey 7.2"
            )
        return found

    def time(self) -> float:
        """Its clock, Unix time in seconds."""
        with self.words():
            seconds, micros = self.client().time()
        return float(seconds + micros / 1e6)

    def close(self) -> None:
        for client in self._clients.values():
            # Not those that another thread speaks on; nor does a client close a pool it was given.
            client.connection_pool.disconnect(inuse_connections=False)
        self._clients.clear()

    @contextmanager
    def words(self) -> Iterator[None]:
        """What redis-py raises in the block, in our words."""
        try:
            yield
        except (
            redis.AuthenticationError,
            redis.exceptions.AuthenticationWrongNumberOfArgsError,
        ) as error:
            raise RedisUnavailable(
                f"{self}: {_first_line(error)}; set the password in redis.url"
            ) from error
        except redis.exceptions.NoPermissionError as error:
            raise RedisError(
                f"{self}: {_first_line(error)}; docs/watching.md has the ACL it takes"
            ) from error
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            raise RedisUnavailable(f"{self}: {_first_line(error)}") from error
        except (redis.RedisError, ValueError) as error:
            raise RedisError(f"{self}: {_first_line(error)}") from error
        except QsuperError:
            raise


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
