"""What differs between the databases: a few words of SQL, error numbers, session settings.

A further database is one more `Backend` and one line in `BACKENDS`.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pymysql

from qsuper.errors import OutcomeUnknown, StoreError, StoreUnavailable

IDLE_MOST = 8 * 3600
"""Seconds for which a MySQL server shall keep a connection of ours that says nothing, at least."""


class StoreBusy(StoreUnavailable):
    """Somebody else holds the rows or the file; nothing was done, and trying again will help."""


class StoreDeadlock(StoreBusy):
    """Two transactions waited for each other, and this one was rolled back."""


class Cursor(Protocol):
    """The part of a DB-API cursor that qsuper uses."""

    rowcount: int
    lastrowid: Any

    def execute(self, sql: str, params: Any = ..., /) -> Any: ...
    def fetchall(self) -> Any: ...
    def close(self) -> Any: ...


@dataclass(frozen=True)
class Backend:
    """One kind of database."""

    name: str
    words: Mapping[str, str]
    """Replaces `{word}` in every statement."""
    placeholder: Callable[[str], str]
    """From the name of a parameter to the driver's way of writing it."""
    begin: str
    sessions: tuple[str, ...]
    """Run on every new connection of ours."""
    latest: float
    """Unix time of the last moment that a date column holds."""
    translate: Callable[[Exception], StoreError | None]
    """The driver's error in our words; None when it is not the database's."""
    list_of: Callable[[list[int]], Any]
    """A list of ids as one parameter, for `id IN {ids}`."""


# The connection is dead or of no more use; what was under way may have been done.
_MYSQL_LOST = {0, 1047, 1053, 1180, 1290, 1836, 1927, 2006, 2013, 2014, 2055, 4031}
# The statement was undone; the connection serves on.
_MYSQL_BUSY = {1205, 1317, 3572, 3024, 1969}
# The whole transaction was.
_MYSQL_DEADLOCK = {1020, 1213}
# No connection came about.
_MYSQL_AWAY = {1040, 1042, 1129, 1203, 1226, 2002, 2003, 2005, 2026}


def _translate_mysql(error: Exception) -> StoreError | None:
    if not isinstance(error, pymysql.MySQLError):
        return None
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    words = f"{error.args[-1]} (error {number})" if error.args else repr(error)
    if number in _MYSQL_DEADLOCK:
        return StoreDeadlock(words)
    if number in _MYSQL_BUSY:
        return StoreBusy(words)
    if number in _MYSQL_AWAY:
        return StoreUnavailable(words)
    if number in _MYSQL_LOST:
        return OutcomeUnknown(words)
    return StoreError(words)


def _translate_sqlite(error: Exception) -> StoreError | None:
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(str(error))
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL):
        return StoreUnavailable(str(error))
    return StoreError(str(error))


def _json_list(ids: list[int]) -> str:
    return f"[{','.join(map(str, ids))}]"


MYSQL = Backend(
    name="mysql",
    words={
        "now": "CURRENT_TIMESTAMP(6)",
        # Kept within what the column can hold: an error would lose the row.
        "in": "CURRENT_TIMESTAMP(6) + INTERVAL"
        " CAST(LEAST(:{0}, 2147483646 - UNIX_TIMESTAMP()) * 1000000 AS SIGNED) MICROSECOND",
        "ago": "CURRENT_TIMESTAMP(6) - INTERVAL CAST(:{0} * 1000000 AS SIGNED) MICROSECOND",
        "unix": "UNIX_TIMESTAMP({0})",
        # Not UNIX_TIMESTAMP(CURRENT_TIMESTAMP(6)): on a caller's connection that goes through a
        # local time, which an autumn night has twice.
        "unix_now": "(UNIX_TIMESTAMP() + MICROSECOND(CURRENT_TIMESTAMP(6)) * 0.000001)",
        # Microseconds, as a whole number: the driver takes its time over decimals.
        "waited": "GREATEST(TIMESTAMPDIFF(MICROSECOND, {0}, CURRENT_TIMESTAMP(6)), 0)",
        "status": "status",
        "run_at": "run_at",
        # What the index `due` begins with, besides the queue.
        "scheduled": "scheduled = 1",
        "ids": ":ids",
        "less_one": "IF(attempt > 0, attempt - 1, 0)",
        "skip_locked": "FOR UPDATE SKIP LOCKED",
        # The row as it is now, even in a caller's transaction with an older snapshot.
        "as_it_is": "FOR UPDATE",
        "on_twin": "ON DUPLICATE KEY UPDATE",
        "on_same_name": "ON DUPLICATE KEY UPDATE",
        "on_same_attempt": "ON DUPLICATE KEY UPDATE",
        "on_same_slot": "ON DUPLICATE KEY UPDATE",
        "on_same_key": "ON DUPLICATE KEY UPDATE",
        "new": "VALUES({0})",
        "live": "nameless = 0 AND live_name = :name",
        "as_text": "{0}",
        "by_id": "FORCE INDEX (PRIMARY)",
        "by_claim": "FORCE INDEX (claim)",
        "twin": "twin.nameless = 0 AND twin.live_name = queue.name",
    },
    placeholder=lambda name: f"%({name})s",
    begin="START TRANSACTION",
    sessions=(
        # Workers rest, and jobs take their time; no server's impatience shall cost a warning.
        f"SET SESSION wait_timeout = GREATEST(@@wait_timeout, {IDLE_MOST}),"
        " time_zone = '+00:00', innodb_lock_wait_timeout = 1,"
        " sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION'",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    ),
    latest=2**31 - 1,
    translate=_translate_mysql,
    list_of=lambda ids: ids or [None],
)

SQLITE = Backend(
    name="sqlite",
    words={
        "now": "strftime('%Y-%m-%d %H:%M:%f', 'now')",
        "in": "strftime('%Y-%m-%d %H:%M:%f', MIN(julianday('now') + :{0} / 86400.0, 5373484.49))",
        "ago": "strftime('%Y-%m-%d %H:%M:%f', julianday('now') - :{0} / 86400.0)",
        "unix": "((julianday({0}) - 2440587.5) * 86400.0)",
        "unix_now": "((julianday('now') - 2440587.5) * 86400.0)",
        "waited": "MAX(CAST((julianday('now') - julianday({0})) * 86400e6 AS INTEGER), 0)",
        # The plus keeps the planner from leaving the row ids for an index.
        "status": "+status",
        "run_at": "+run_at",
        # The very words of the partial index `due`.
        "scheduled": "status = 4",
        "ids": "(SELECT value FROM json_each(:ids))",
        "less_one": "MAX(attempt - 1, 0)",
        "skip_locked": "",
        "as_it_is": "",
        "on_twin": "ON CONFLICT (name) WHERE status IN (0, 2, 4, 6) DO UPDATE SET",
        "on_same_name": "ON CONFLICT (name) DO UPDATE SET",
        "on_same_attempt": "ON CONFLICT (job_id, claims) DO UPDATE SET",
        "on_same_slot": "ON CONFLICT (name, slot) DO UPDATE SET",
        "on_same_key": "ON CONFLICT (db, name_hash) DO UPDATE SET",
        "new": "excluded.{0}",
        "live": "name = :name AND status IN (0, 2, 4, 6)",
        # A foreign writer's text that is no UTF-8 goes in as bytes, and would be greater than any.
        "as_text": "CAST({0} AS TEXT)",
        "by_id": "",
        "by_claim": "",
        "twin": "twin.name = queue.name AND twin.status IN (0, 2, 4, 6)",
    },
    placeholder=lambda name: f":{name}",
    begin="BEGIN IMMEDIATE",
    sessions=(
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA busy_timeout = 5000",
    ),
    latest=253402300799,
    translate=_translate_sqlite,
    list_of=_json_list,
)

BACKENDS: dict[str, Backend] = {"mysql": MYSQL, "mariadb": MYSQL, "sqlite": SQLITE}
"""By the dialect's name in the URL."""

_WORD = re.compile(r"\{(\w+)(?::([^{}]+))?\}")
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")


class Statement:
    """SQL written once for all databases and compiled once for each.

    `{now}` and `{in:delay}` are replaced by the backend's words, `:name` is a bound parameter.
    """

    __slots__ = ("_compiled", "text")

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())
        self._compiled: dict[str, str] = {}

    def for_backend(self, backend: Backend) -> str:
        try:
            return self._compiled[backend.name]
        except KeyError:
            sql = self._compiled[backend.name] = self.compile(backend)
            return sql

    def compile(self, backend: Backend, placeholder: Callable[[str], str] | None = None) -> str:
        """The SQL of one backend, with the parameters written as `placeholder` has them."""
        write = placeholder or backend.placeholder

        def word(match: re.Match[str]) -> str:
            name, argument = match.groups()
            return backend.words[name].format(*(argument or "").split("|"))

        sql = _WORD.sub(word, self.text)
        if write("x").startswith("%"):
            sql = sql.replace("%", "%%")
        return _PARAMETER.sub(lambda match: write(match.group(1)), sql)
