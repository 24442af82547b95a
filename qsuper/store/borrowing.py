"""A caller's own connection, so that a job is enqueued in the caller's transaction or not at all.

Nothing is committed here, and the connection's settings are left as they were found.
"""

import functools
import sys
from collections.abc import Callable
from typing import Any, Protocol

from qsuper.errors import QsuperError
from qsuper.store.backend import BACKENDS, MYSQL, SQLITE, Backend, Statement
from qsuper.store.enqueueing import Writer
from qsuper.store.lending import Lent

_DRIVERS: dict[str, tuple[Backend, Callable[[str], str]]] = {
    "sqlite3": (SQLITE, lambda name: f":{name}"),
    "pymysql": (MYSQL, lambda name: f"%({name})s"),
    "MySQLdb": (MYSQL, lambda name: f"%({name})s"),
    "mysql": (MYSQL, lambda name: f"%({name})s"),
    "mariadb": (MYSQL, lambda name: f"%({name})s"),
}
"""By the top-level module of the connection's class: what it speaks, how it writes parameters."""


def borrow(connection: Any) -> Writer:
    """A `Writer` on a SQLAlchemy Connection or Session, or on a DB-API connection."""
    if isinstance(connection, Lent):
        connection = connection.lent
    # Whoever has one of these has imported them; nobody else shall pay for it.
    # (Another thread may just be importing them.)
    if _is_a("sqlalchemy.orm", "Session", connection):
        connection = connection.connection()
    if _is_a("sqlalchemy.engine", "Connection", connection):
        name = connection.dialect.name
        if name in BACKENDS:
            return Borrowed(BACKENDS[name], BACKENDS[name].placeholder, connection.exec_driver_sql)
    for kind in type(connection).__mro__:
        if found := _DRIVERS.get(kind.__module__.partition(".")[0]):
            backend, placeholder = found
            return Borrowed(backend, placeholder, functools.partial(_execute, connection))
    raise QsuperError(
        f"cannot enqueue on a {type(connection).__module__}.{type(connection).__qualname__}:"
        " pass a SQLAlchemy Connection or Session, or a connection of sqlite3, PyMySQL,"
        " mysqlclient, mysql-connector or mariadb"
    )


def _is_a(module: str, name: str, connection: Any) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(connection, kind)


class _Result(Protocol):
    @property
    def rowcount(self) -> int: ...
    @property
    def lastrowid(self) -> Any: ...
    def fetchall(self) -> Any: ...


def _execute(connection: Any, sql: str, params: Any) -> _Result:
    cursor: Any = connection.cursor()
    if isinstance(params, list):
        cursor.executemany(sql, params)
    else:
        cursor.execute(sql, params)
    result: _Result = cursor
    return result


class Borrowed:
    """The `Writer` that `borrow` makes."""

    borrowed = True

    def __init__(
        self,
        backend: Backend,
        placeholder: Callable[[str], str],
        execute: Callable[[str, Any], _Result],
    ) -> None:
        self.backend = backend
        self._placeholder = placeholder
        self._execute = execute

    def _sql(self, statement: Statement) -> str:
        return statement.compile(self.backend, self._placeholder)

    def run(self, statement: Statement, **params: Any) -> int:
        return self._execute(self._sql(statement), params).rowcount

    def insert(self, statement: Statement, **params: Any) -> int:
        return int(self._execute(self._sql(statement), params).lastrowid or 0)

    def many(self, statement: Statement, rows: list[dict[str, Any]]) -> None:
        self._execute(self._sql(statement), rows)

    def rows(self, statement: Statement, **params: Any) -> list[Any]:
        rows = self._execute(self._sql(statement), params).fetchall()
        return [tuple(row.values()) if isinstance(row, dict) else tuple(row) for row in rows]
