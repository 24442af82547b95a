"""The tables of one engine, as a test has them in its hands."""

import functools
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pymysql
from sqlalchemy import make_url

from qsuper.job import Job
from qsuper.states import State
from qsuper.store import claiming, schema
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, Database

WORKER = "boot-1"


def make_mysql_tables(database: Database, connection: Connection) -> None:
    """What `schema.upgrade` made the first time, quicker: hundreds of tests begin with it."""
    server = database.engine.url.port
    if server in _statements:
        for sql in _statements[server]:
            connection.run(Statement(sql))
        return
    schema.upgrade(database)
    tables = [row[0] for row in connection.rows(Statement("SHOW TABLES"))]
    _statements[server] = [
        str(connection.row(Statement(f"SHOW CREATE TABLE {table}"))[1]) for table in tables
    ] + [
        f"INSERT INTO {table} VALUES ('{row[0]}')"
        for table in ("alembic_version", "compatible")
        for row in connection.rows(Statement(f"SELECT * FROM {table}"))
    ]


# By the port of the server.
_statements: dict[int | None, list[str]] = {}


@functools.cache
def _sqlite_file() -> bytes:
    with tempfile.TemporaryDirectory(prefix="qsuper-tables-") as folder:
        path = Path(folder) / "template.db"
        schema.upgrade(Database(f"sqlite:///{path}"))
        with closing(sqlite3.connect(path)) as connection:
            return connection.serialize()


class Table:
    """A database with the tables in it, and ways to write and read them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(url)
        self._opened: list[Any] = []
        if self.is_sqlite:
            Path(str(make_url(url).database)).write_bytes(_sqlite_file())
        self.connection = self.connect()
        if not self.is_sqlite:
            make_mysql_tables(self.database, self.connection)

    @property
    def is_sqlite(self) -> bool:
        return self.database.backend.name == "sqlite"

    def connect(self) -> Connection:
        """Another connection of qsuper's own."""
        self._opened.append(self.database.connect())
        connection: Connection = self._opened[-1]
        return connection

    def bare(self, *, autocommit: bool = True, **options: Any) -> Any:
        """A driver's connection, as another program has one, with `options` of its own."""
        url = make_url(self.url)
        connection: Any
        if self.is_sqlite:
            connection = sqlite3.connect(str(url.database), **options)
            if autocommit:
                connection.isolation_level = None
        else:
            connection = pymysql.connect(
                host=url.host,
                port=url.port or 3306,
                user=url.username,
                password=url.password or "",
                database=str(url.database),
                autocommit=autocommit,
                ssl_disabled=True,
                **({"charset": "utf8mb4"} | options),
            )
        self._opened.append(connection)
        return connection

    def write(self, sql: str, **params: Any) -> int:
        """Run any statement of the test's own and return its row count."""
        return self.connection.run(Statement(sql), **params)

    def read(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.connection.rows(Statement(sql), **params)]

    def add(self, count: int = 1, **columns: Any) -> list[int]:
        """Insert `count` equal rows and return their ids."""
        columns = {"task": "send_msg"} | columns
        names, bound = ", ".join(columns), ", ".join(f":{name}" for name in columns)
        statement = Statement(f"INSERT INTO queue ({names}) VALUES ({bound})")
        last = self.read("SELECT COALESCE(MAX(id), 0) FROM queue")[0][0]
        with self.connection.transaction():
            self.connection.many(statement, [columns] * count)
        return [row[0] for row in self.read("SELECT id FROM queue WHERE id > :last", last=last)]

    def row(self, job_id: int, *columns: str) -> Any:
        """The columns of one row, as the driver gives them; one column comes alone."""
        rows = self.read(f"SELECT {', '.join(columns)} FROM queue WHERE id = :id", id=job_id)
        return rows[0][0] if len(columns) == 1 else rows[0]

    def state(self, job_id: int) -> State:
        return State(self.row(job_id, "status"))

    def states(self) -> dict[State, int]:
        """How many rows there are of each state."""
        return {
            State(status): count
            for status, count in self.read("SELECT status, COUNT(*) FROM queue GROUP BY status")
        }

    def seconds_until(self, job_id: int, column: str = "run_at") -> float:
        """From the database's now to a date of the row; negative when it has been."""
        rows = self.read(
            f"SELECT {{unix:{column}}} - {{unix_now}} FROM queue WHERE id = :id", id=job_id
        )
        return float(rows[0][0])

    def claim(self, worker: str = WORKER, **options: Any) -> list[Job]:
        """Claim from the default queue."""
        options = {"queue": "default", "worker": worker} | options
        return claiming.claim(self.connection, **options).jobs

    def close(self) -> None:
        for connection in self._opened:
            with suppress(pymysql.MySQLError):
                connection.close()

    @contextmanager
    def held(self, job_id: int) -> Iterator[None]:
        """Somebody changes one row and goes for lunch."""
        caller = self.bare(autocommit=False)
        with caller.cursor() as cursor:
            cursor.execute(f"UPDATE queue SET progress = 'x' WHERE id = {job_id}")
        yield
        caller.rollback()
