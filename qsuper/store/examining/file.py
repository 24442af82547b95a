"""A SQLite file, opened for reading only: a look must neither make it nor change its journal."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from qsuper.store import address
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, Database

OLDEST = (3, 37, 0)
"""The first that knows STRICT tables."""
BUSY_MOST = 2.0
"""Seconds to wait for a lock."""
_JOURNAL = Statement("PRAGMA journal_mode")


def path_of(url: str) -> Path:
    """The file that a sqlite:/// URL names."""
    return Path(address.read(url).file)


def library() -> tuple[int, ...]:
    """The version of the library that this Python has."""
    return sqlite3.sqlite_version_info


@contextmanager
def reading(database: Database, path: Path) -> Iterator[Connection]:
    """A connection that cannot write; raises `StoreError` when the file is no database."""
    uri = f"file:{quote(str(path))}?mode=ro"
    try:
        raw = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_MOST)
    except sqlite3.Error as error:
        raise database.translate(error) from error
    connection = Connection(database, raw)
    try:
        yield connection
    finally:
        connection.close()


def journal_mode(connection: Connection) -> str:
    """`wal`, once one of our connections has been there."""
    return str(connection.row(_JOURNAL)[0])
