"""Somebody's program, with a connection and a transaction of its own."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql.cursors
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from qsuper.store.borrowing import borrow
from qsuper.store.enqueueing import Writer
from tests.store.table import Table

KINDS = ("SQLAlchemy Connection", "SQLAlchemy Session", "DB-API", "DB-API with rows of its own")


@dataclass
class Caller:
    """Somebody's program in the middle of a transaction."""

    connection: Any
    """What it hands to qsuper."""
    commit: Callable[[], None]
    rollback: Callable[[], None]
    ask: Callable[[str], Any]

    @property
    def writer(self) -> Writer:
        return borrow(self.connection)


@contextmanager
def calling(kind: str, table: Table) -> Iterator[Caller]:
    """One of `KINDS`."""
    if kind.startswith("SQLAlchemy"):
        engine = create_engine(table.url)
        whole: Any = Session(engine) if "Session" in kind else engine.connect()
        yield Caller(
            whole, whole.commit, whole.rollback, lambda sql: whole.execute(text(sql)).scalar()
        )
        whole.close()
        engine.dispose()
        return
    options: dict[str, Any] = {}
    if "own" in kind and not table.is_sqlite:
        options = {"cursorclass": pymysql.cursors.DictCursor}
    raw = table.bare(autocommit=False, **options)
    if "own" in kind and table.is_sqlite:
        raw.row_factory = sqlite3.Row

    def ask(sql: str) -> Any:
        cursor = raw.cursor()
        cursor.execute(sql)
        row = cursor.fetchone()
        return next(iter(row.values())) if isinstance(row, dict) else row[0]

    yield Caller(raw, raw.commit, raw.rollback, ask)
