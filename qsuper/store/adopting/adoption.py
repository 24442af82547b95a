"""One adoption: what is to be done, and doing it from wherever the last attempt has ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from qsuper.errors import SchemaError
from qsuper.store import schema
from qsuper.store.adopting import making
from qsuper.store.adopting.copying import copy, shown_copy
from qsuper.store.adopting.names import (
    BACKUP,
    BUILD,
    BUILD_VERSION,
    OLD,
    OURS,
    PROGRESS,
    VERSION,
)
from qsuper.store.adopting.old_table import OldTable, read
from qsuper.store.adopting.rows import ROOM, last_id
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection, Database

SWITCH_TRIES = 30
SWITCH_PAUSE = 1.0
"""Seconds between two tries, in which the writers that wait behind ours get through."""

_STAGES = frozenset((PROGRESS, BACKUP))

# A switch that waits for somebody's open transaction holds up all writers behind it: two seconds
# at most. The copying may wait longer; it holds up nobody.
_PATIENCE = Statement("SET SESSION lock_wait_timeout = 2, innodb_lock_wait_timeout = 20")
_ALONE = Statement("SELECT GET_LOCK(CONCAT('qsuper adopt ', MD5(DATABASE())), 60)")
_COLUMNS = Statement(
    """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = :name
    """
)
_CLEAR = f"DROP TABLE {VERSION}"
_END = f"DROP TABLE {PROGRESS}"


@dataclass(frozen=True)
class Adoption:
    """An old table that waits for its adoption."""

    old: OldTable
    stage: frozenset[str]
    """Which of the tables that tell how far it came are there."""
    leftover: bool
    """Whether an empty alembic_version stands in the way, as an upgrade that failed leaves it."""

    @property
    def begun(self) -> bool:
        """Whether an earlier attempt was cut off."""
        return PROGRESS in self.stage

    @property
    def switched(self) -> bool:
        """Whether the new table is in its place already: then what is left is to copy."""
        return self.stage == _STAGES

    @classmethod
    def find(cls, connection: Connection) -> "Adoption | None":
        """What there is to adopt, or None where the tables are qsuper's already.

        Raises `SchemaError` with the reason, and changes nothing, where nothing can be adopted.
        """
        if connection.backend.name == "sqlite":
            raise SchemaError(
                "an old table is adopted in MySQL or MariaDB, and store.url names a SQLite file"
            )
        tables = _tables(connection)
        stage = tables & _STAGES
        leftover = _has_leftover(connection, tables)
        if PROGRESS not in stage:
            if OLD not in tables:
                raise SchemaError(
                    f"the database has no table `{OLD}` to adopt: `qsuper db upgrade` makes one"
                )
            if schema.version(connection) is not None and _is_ours(connection):
                return None
            _refuse_names_taken(tables - {VERSION} if leftover else tables)
        return cls(read(connection, BACKUP if BACKUP in stage else OLD), stage, leftover)

    def statements(self, *, larger_first: bool) -> list[str]:
        """What `run` will do, a line each."""
        before = [
            *([_CLEAR] if self.leftover else []),
            *map(making.shown, making.beginning(self.old, larger_first=larger_first)),
            making.ABOVE.format(f"(the last id) + {ROOM}"),
            making.SWITCH,
        ]
        return [
            *([] if self.switched else before),
            f"the migrations {schema.VERSIONS[1]} to {schema.VERSIONS[-1]} of `qsuper db upgrade`",
            shown_copy(self.old),
            _END,
        ]

    def run(self, database: Database, *, larger_first: bool, tell: Callable[[int], None]) -> int:
        """Adopt; returns how many rows the new table was given.

        Cut off anywhere, it is to be called again. `tell` is called with the rows copied so far.
        Raises `StoreBusy` when somebody keeps a transaction open on the old table.
        """
        connection = database.connect()
        try:
            connection.run(_PATIENCE)
            if connection.row(_ALONE)[0] != 1:
                raise SchemaError("another `qsuper db adopt` is at work: wait for it")
            tables = _tables(connection)
            leftover = _has_leftover(connection, tables)
            if (tables & _STAGES, leftover) != (self.stage, self.leftover):
                raise SchemaError(
                    "another `qsuper db adopt` has been at work since this plan: run it again"
                )
            if not self.switched:
                if self.leftover:
                    _execute(connection, _CLEAR)
                for statement in making.beginning(self.old, larger_first=larger_first):
                    _execute(connection, statement)
                _switch(connection)
            schema.upgrade(database, adopting=True)
            copied = copy(connection, self.old, tell)
            _execute(connection, _END)
            return copied
        finally:
            connection.close()


def _tables(connection: Connection) -> frozenset[str]:
    return frozenset(str(row[0]) for row in connection.rows(Statement("SHOW TABLES")))


def _has_leftover(connection: Connection, tables: frozenset[str]) -> bool:
    return VERSION in tables and schema.version(connection) is None


def _is_ours(connection: Connection) -> bool:
    columns = {str(row[0]) for row in connection.rows(_COLUMNS, name=OLD)}
    return {"task", "claims"} <= columns


def _refuse_names_taken(tables: frozenset[str]) -> None:
    if taken := sorted(tables & (OURS | {BACKUP, BUILD, BUILD_VERSION})):
        raise SchemaError(
            f"qsuper wants to make tables that are there already: rename or drop"
            f" {', '.join(taken)} first"
        )


def _execute(connection: Connection, statement: str) -> None:
    """Word for word: definitions of strange columns may hold anything, `:` and `%` included."""
    try:
        connection.raw.cursor().execute(statement)
    except Exception as error:
        raise connection.database.translate(error) from error


def _switch(connection: Connection) -> None:
    for _ in range(SWITCH_TRIES):
        last = last_id(connection, OLD)
        _execute(connection, making.ABOVE.format(last + ROOM))
        try:
            return _execute(connection, making.SWITCH)
        except StoreBusy:
            time.sleep(SWITCH_PAUSE)
    raise StoreBusy(
        f"somebody keeps a transaction open on `{OLD}`: end it, and run `qsuper db adopt` again"
    )
