"""A MySQL or MariaDB server as the tests see it: fresh databases, and what it was asked to do."""

import uuid
from typing import Any

import pymysql
from sqlalchemy import URL, make_url

# Ten seconds are an eternity for DROP DATABASE, unless a test left a transaction open.
LOCK_WAIT = 10


class MySQL:
    """A server at `address`, a mysql+pymysql URL of an account that may do everything."""

    def __init__(self, address: str) -> None:
        self.address: URL = make_url(address)
        self._own_statements = 0

    def url(self, database: str | None = None) -> str:
        """Return the SQLAlchemy URL of `database`."""
        url = self.address.set(database=database)
        return url.render_as_string(hide_password=False)

    def create_database(self) -> str:
        """Make an empty utf8mb4 database with a name of its own and return its URL."""
        name = f"qsuper_{uuid.uuid4().hex[:12]}"
        self.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop the database behind `url`; fails when a test has left a transaction open in it."""
        self.query(
            f"SET SESSION lock_wait_timeout = {LOCK_WAIT}",
            f"DROP DATABASE {make_url(url).database}",
        )

    def statement_count(self) -> int:
        """Return how many statements clients have sent since the server's start, without ours.

        'Questions' would not do: it counts the end of each connection too, a moment late.
        """
        counters = self.query("SHOW GLOBAL STATUS LIKE 'Com\\_%'")
        return sum(int(count) for _, count in counters) - self._own_statements

    def query(self, *statements: str) -> tuple[tuple[Any, ...], ...]:
        """Run `statements` on a connection of their own and return the rows of the last one."""
        connection = self._connect()
        try:
            self._own_statements += 1  # connecting sends SET NAMES
            with connection.cursor() as cursor:
                for statement in statements:
                    self._own_statements += 1
                    cursor.execute(statement)
                return tuple(cursor.fetchall())
        finally:
            connection.close()

    def _connect(self) -> "pymysql.Connection[Any]":
        return pymysql.connect(
            host=self.address.host or "127.0.0.1",
            port=self.address.port or 3306,
            user=self.address.username,
            password=self.address.password or "",
            autocommit=True,
            connect_timeout=10,
            read_timeout=60,
        )
