"""What a store's URL says to the driver.

A plain URL is read here, and any other by SQLAlchemy, whose import takes 0.15 s and 16 MB of every
process that it happens in (docs/decisions/0014-memory.md). Both read a plain one alike: a test
holds them to it.
"""

import encodings.idna  # noqa: F401 (every connection imports it; before a fork it is shared)
import math
import os
import re
import sqlite3
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pymysql.connections
from pymysql.constants import CLIENT

from qsuper.errors import QsuperError
from qsuper.store.backend import BACKENDS, MYSQL, SQLITE, Backend

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_PLAIN_MYSQL = re.compile(
    r"""
    (?:mysql|mariadb)(?:\+pymysql)?://
    (?:(?P<user>[^:/@?\#\s]*)(?::(?P<password>[^:/@?\#\s]*))?@)?
    (?P<host>[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?
    /(?P<database>[\w.-]+)
    (?:\?(?:charset=(?P<charset>\w+))?&?(?:unix_socket=(?P<unix_socket>[\w/.-]+))?)?
    """,
    re.VERBOSE | re.ASCII,
)
_PLAIN_SQLITE = re.compile(r"sqlite:///(?P<file>[^?#%]+)")


@dataclass(frozen=True, slots=True)
class Address:
    """One URL, read."""

    backend: Backend
    options: Mapping[str, Any]
    """What the driver is told, by its own names."""
    _driver: Callable[..., Any]
    _arguments: tuple[Any, ...] = ()
    _prepare: Callable[[Any], object] | None = None
    """What SQLAlchemy does to each new connection of this kind, where it matters."""

    @property
    def file(self) -> str:
        """Of SQLite: the database's."""
        return str(self._arguments[0])

    def connect(self, options: Mapping[str, Any]) -> Any:
        """A new connection of the driver's; `options` come before those of the URL. Raises the
        driver's errors."""
        connection = self._driver(*self._arguments, **{**self.options, **options})
        if self._prepare is not None:
            self._prepare(connection)
        return connection


def read(url: str) -> Address:
    """Raises `QsuperError` when it names no database that qsuper can use."""
    address = read_plain(url) or read_any(url)
    if address.backend is MYSQL:
        # A process that is forked later shares what OpenSSL takes for its first context.
        _trusting()
    return address


def read_plain(url: str) -> Address | None:
    """None when it takes more than this to read it."""
    if found := _PLAIN_MYSQL.fullmatch(url):
        options: dict[str, Any] = {
            name: value for name, value in found.groupdict().items() if value is not None
        }
        for name in ("user", "password"):
            if name in options:
                options[name] = unquote(options[name])
        if "port" in options:
            options["port"] = int(options["port"])
        options = {name: value for name, value in options.items() if value}
        return Address(MYSQL, {**options, "client_flag": CLIENT.FOUND_ROWS}, MySQLConnection)
    if (found := _PLAIN_SQLITE.fullmatch(url)) and found["file"] != ":memory:":
        file = os.path.abspath(found["file"])  # noqa: PTH100 (links stay what they are)
        return Address(SQLITE, {}, sqlite3.connect, (file,), _add_functions)
    return None


def read_any(url: str) -> Address:
    """Raises `QsuperError` when it names no database that qsuper can use."""
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        parsed = parse(url)
        backend = BACKENDS[parsed.get_backend_name()]
        kind: Any = parsed.get_dialect()
        dialect = kind(dbapi=kind.import_dbapi())
        arguments, options = dialect.create_connect_args(parsed)
    except (ArgumentError, KeyError, NoSuchModuleError) as error:
        raise QsuperError(
            "store.url must begin with sqlite:/// or mysql+pymysql://,"
            " for example mysql+pymysql://user:password@localhost/shop"
        ) from error
    if backend is SQLITE and parsed.database in (None, "", ":memory:"):
        raise QsuperError("store.url must name a file: processes cannot share :memory:")
    driver = MySQLConnection if backend is MYSQL else dialect.loaded_dbapi.connect
    prepare = dialect.on_connect_url(parsed)
    return Address(backend, options, driver, tuple(arguments), prepare)


def parse(url: str) -> "URL":
    """As SQLAlchemy's, for an Engine or to be shown; raises its errors."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    if BACKENDS.get(parsed.get_backend_name()) is MYSQL:
        parsed = parsed.set(drivername="mysql+pymysql")
    return parsed


class MySQLConnection(pymysql.connections.Connection):
    """PyMySQL's, without the host's certificates where no certificate is looked at.

    PyMySQL loads them for every connection that might be encrypted: 22 ms of CPU and 2 MB
    (measured), and then trusts anybody.
    """

    def _create_ssl_ctx(self, options: Any) -> Any:
        return super()._create_ssl_ctx(options) if options else _trusting()  # type: ignore[misc]


@lru_cache(maxsize=1)
def _trusting() -> ssl.SSLContext:
    """As PyMySQL makes it when it is told nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _add_functions(connection: sqlite3.Connection) -> None:
    """What SQLAlchemy adds to SQLite; a task's own statements may use it."""
    connection.create_function("regexp", 2, _regexp, deterministic=True)
    connection.create_function("floor", 1, math.floor, deterministic=True)


def _regexp(pattern: str, text: str | None) -> bool | None:
    return None if text is None else re.search(pattern, text) is not None
