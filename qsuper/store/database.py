"""Connections: how they are made, how their errors read, how a transaction is kept short."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qsuper.errors import StoreError, StoreUnavailable
from qsuper.store import address
from qsuper.store.backend import Backend, Cursor, Statement

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
TRUSTED_FOR = 3.0
"""Seconds after which a connection that idled is tried before it is trusted: a little more than
idle children rest, so that idling costs no statement."""

_OUR_PATIENCE = ("read_timeout", "write_timeout")
"""What an application's own statements are not held to: a report may take its minutes."""


class Database:
    """Where the tables are. Opens nothing until asked; a fork may carry it, not its connections."""

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        self._address = address.read(url)
        self.backend = self._address.backend
        self._url = url
        if self.backend.name == "sqlite":
            self._options: dict[str, Any] = {"isolation_level": None, "check_same_thread": False}
            self._folder: Path | None = Path(self._address.file).parent
        else:
            self._options = {
                "autocommit": True,
                "connect_timeout": connect_timeout,
                "read_timeout": read_timeout,
                "write_timeout": read_timeout,
                "charset": "utf8mb4",
            }
            if "unix_socket" in self._address.options:
                # Nobody listens in on a socket file.
                self._options["ssl_disabled"] = True
            self._folder = None

    def patient(self) -> "Database":
        """The same, which waits a day for an answer: to change a large table takes its time."""
        return Database(self._url, read_timeout=86_400.0)

    @property
    def url(self) -> "URL":
        """Where it is, to be shown."""
        return address.parse(self._url)

    @cached_property
    def engine(self) -> "Engine":
        """The same for what is built with SQLAlchemy: the lists and the migrations."""
        # SQLAlchemy takes megabytes: only for who needs it (docs/decisions/0014-memory.md).
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        return create_engine(self.url, poolclass=NullPool, creator=lambda: self.connect().raw)

    def _prepare(self, raw: Any) -> None:
        if self.backend.name == "sqlite":
            # A foreign writer may have left text that is no UTF-8: the codec shall say so,
            # not the driver in the middle of a claim.
            raw.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        cursor = raw.cursor()
        for statement in self.backend.sessions:
            cursor.execute(statement)
        cursor.close()

    def connect(self) -> "Connection":
        """A connection of its own, in autocommit; raises `StoreUnavailable`."""
        connection = self._connect(self._options)
        try:
            self._prepare(connection.raw)
        except Exception as error:
            connection.close()
            raise self.translate(error) from error
        return connection

    def connect_plain(self) -> "Connection":
        """The same with the server's own settings of a session: time zone, modes, isolation and
        patience are as an application has them that connects by itself."""
        plain = {key: value for key, value in self._options.items() if key not in _OUR_PATIENCE}
        if self.backend.name == "mysql":
            # A deadlock ends the transaction. What a task that has not noticed writes then must
            # be in another one, not committed statement by statement.
            plain["autocommit"] = False
        return self._connect(plain)

    def _connect(self, options: dict[str, Any]) -> "Connection":
        try:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            return Connection(self, self._address.connect(options))
        except Exception as error:
            raise self.translate(error) from error

    @property
    def place(self) -> tuple[object, ...]:
        """The same for two URLs that lead to one database and are spelled in different ways."""
        if self.backend.name == "sqlite":
            return ("sqlite", Path(self._address.file).resolve())
        options = self._address.options
        socket = options.get("unix_socket")
        host = None if socket else (options.get("host") or "localhost").lower()
        port = None if socket else options.get("port") or 3306
        return (self.backend.name, host, port, socket, options.get("database"))

    def translate(self, error: Exception) -> Exception:
        """A driver's or SQLAlchemy's error in our words; anything else is handed back."""
        orig = getattr(error, "orig", None)  # SQLAlchemy's, around the driver's
        if isinstance(orig, Exception):
            error = orig
        if isinstance(error, OSError):
            return StoreUnavailable(str(error))
        return self.backend.translate(error) or error


class Connection:
    """One driver connection. Not for two threads at once."""

    __slots__ = ("backend", "database", "raw")

    borrowed = False

    def __init__(self, database: Database, raw: Any) -> None:
        self.database = database
        self.backend: Backend = database.backend
        self.raw = raw
        """The driver's."""

    def _execute(self, statement: Statement, params: dict[str, Any]) -> Cursor:
        cursor: Cursor = self.raw.cursor()
        if "ids" in params:
            params["ids"] = self.backend.list_of(params["ids"])
        try:
            cursor.execute(statement.for_backend(self.backend), params)
        except Exception as error:
            raise self.database.translate(error) from error
        return cursor

    def run(self, statement: Statement, **params: Any) -> int:
        """Run a write and return its row count (rows changed, or matched: guards hold under
        both)."""
        cursor = self._execute(statement, params)
        count = cursor.rowcount
        cursor.close()
        return count

    def insert(self, statement: Statement, **params: Any) -> int:
        """Run an INSERT and return the id of the (first) row."""
        cursor = self._execute(statement, params)
        row_id = int(cursor.lastrowid or 0)
        cursor.close()
        return row_id

    def many(self, statement: Statement, rows: list[dict[str, Any]]) -> None:
        """Run an INSERT for many rows; drivers make few statements of it."""
        try:
            self.raw.cursor().executemany(statement.for_backend(self.backend), rows)
        except Exception as error:
            raise self.database.translate(error) from error

    def rows(self, statement: Statement, **params: Any) -> list[Any]:
        """Run a SELECT and return its rows as tuples.

        A text of SQLite that is no UTF-8 can be handed back: it is bound as bytes, which equal no
        text (but for `{as_text:…}`).
        """
        try:
            cursor = self._execute(statement, dict(params))
        except UnicodeEncodeError:
            if self.backend.name != "sqlite":
                raise
            cursor = self._execute(statement, {name: _raw(each) for name, each in params.items()})
        try:
            rows: list[Any] = list(cursor.fetchall())
        except Exception as error:
            raise self.database.translate(error) from error
        cursor.close()
        return rows

    def row(self, statement: Statement, **params: Any) -> Any:
        """The first row, or None."""
        rows = self.rows(statement, **params)
        return rows[0] if rows else None

    @contextmanager
    def transaction(self) -> Iterator["Connection"]:
        """All or nothing. Keep it short: it holds locks."""
        self.run(Statement(self.backend.begin))
        try:
            yield self
            self.run(_COMMIT)
        except BaseException:
            with suppress(Exception):
                self.run(_ROLLBACK)
            raise

    def close(self) -> None:
        with suppress(Exception):
            self.raw.close()


def is_utf8(text: str) -> bool:
    """Not so what a foreign writer has left in SQLite, as `Database` reads it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _raw(value: Any) -> Any:
    if not isinstance(value, str) or is_utf8(value):
        return value
    return value.encode("utf-8", "surrogateescape")


_COMMIT = Statement("COMMIT")
_PING = Statement("SELECT 1")
_ROLLBACK = Statement("ROLLBACK")


class Link:
    """One process's (or thread's) way to the database: connects when needed, anew when lost."""

    def __init__(self, database: Database, *, trusted_for: float = TRUSTED_FOR) -> None:
        """`trusted_for`: seconds after its last use in which a connection is taken as alive."""
        self.database = database
        self.reconnects = 0
        self._connection: Connection | None = None
        self._trusted_for = trusted_for
        self._used = 0.0

    @property
    def connection(self) -> Connection:
        """A connection for what is done now; ask again for what is done later.

        One that has idled is tried first, and replaced in silence: servers and proxies cut them,
        and nothing was under way.
        """
        now = time.monotonic()
        if self._connection is not None and now - self._used > self._trusted_for:
            self._try(self._connection)
        self._used = now
        if self._connection is None:
            self._connection = self.database.connect()
        return self._connection

    def drop(self) -> None:
        """Give up the connection after an error; the next use makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self.reconnects += 1

    def _try(self, connection: Connection) -> None:
        try:
            connection.rows(_PING)
        except StoreError:
            self.drop()
