"""The table as the PHP loop has it, in any of its forms, and the forms that are refused."""

import re
from dataclasses import dataclass
from typing import Any

from qsuper.errors import SchemaError
from qsuper.store.adopting import rows
from qsuper.store.adopting.column import Column, plain, read_columns
from qsuper.store.adopting.names import OLD, OUR_COLUMNS, SHARED_COLUMNS
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

WAITING, DONE = 0, 1
SAMPLE = 200
SCRIPTS_MOST = 20
_WHOLE_NUMBERS = {"tinyint", "smallint", "mediumint", "int", "bigint"}
_DATES = _WHOLE_NUMBERS | {"timestamp", "datetime"}
_TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"}
_BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
_KINDS = {
    "id": _WHOLE_NUMBERS,
    "taskphp": _TEXTS,
    "param": _TEXTS | _BYTES,
    "status": _WHOLE_NUMBERS,
    "ctime": _DATES,
    "mtime": _DATES,
    "priority": _WHOLE_NUMBERS,
}
_NEEDED = ("id", "taskphp", "param", "status")

_ABOUT = Statement(
    """
    SELECT engine, COALESCE(data_length, 0) FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name = :name
    """
)
_TRIGGERS = Statement(
    """
    SELECT trigger_name FROM information_schema.triggers
    WHERE event_object_schema = DATABASE() AND event_object_table = :name
    """
)
_REFERENCES = Statement(
    """
    SELECT DISTINCT table_name FROM information_schema.key_column_usage
    WHERE referenced_table_schema = DATABASE() AND referenced_table_name = :name
    """
)
_INDEXES = Statement(
    """
    SELECT index_name, MIN(non_unique),
        GROUP_CONCAT(COALESCE(column_name, '') ORDER BY seq_in_index SEPARATOR ', ')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = :name AND index_name <> 'PRIMARY'
    GROUP BY index_name
    """
)


@dataclass(frozen=True)
class Index:
    """An index of the old table, which the new one will not have."""

    name: str
    columns: str
    forbids_doubles: bool
    """Whether it is unique, and not only as the ids in it are."""


@dataclass(frozen=True)
class OldTable:
    """What was found in the old table, under the name it has now."""

    name: str
    engine: str
    size: int
    """Bytes of its rows."""
    columns: dict[str, Column]
    """By name in small letters, in their order."""
    extra: dict[str, str]
    """Columns that are nobody's, with their definitions."""
    indexes: tuple[Index, ...]
    """All but the primary key."""
    statuses: dict[int | None, int]
    """Rows by status."""
    scripts: tuple[tuple[str, int], ...]
    """The programs most often named, with how many rows: one more than are shown, at most."""
    sample: tuple[str, ...]
    """Params of the newest rows."""

    @property
    def rows(self) -> int:
        return sum(self.statuses.values())

    @property
    def has_priority(self) -> bool:
        return "priority" in self.columns


def read(connection: Connection, name: str) -> OldTable:
    """Look at the old table; raises `SchemaError` where it is not one that can be adopted."""
    columns = read_columns(connection, name)
    missing = [column for column in _NEEDED if column not in columns]
    if missing:
        raise SchemaError(
            f"the table `{OLD}` is neither qsuper's nor the old one: it has no column"
            f" {' and no '.join(missing)}; rename it, or name another database in store.url"
        )
    engine, size = connection.row(_ABOUT, name=name)
    if engine is None:
        raise SchemaError(f"`{OLD}` is a view: adopt the table itself")
    _refuse_kinds(columns)
    _refuse_companions(connection, name)
    extra = _extra_columns(connection, name, columns)
    rows.refuse(connection, name, columns)
    script = f"`{columns['taskphp'].name}`"
    return OldTable(
        name=name,
        engine=str(engine),
        size=int(size),
        columns=columns,
        extra=extra,
        indexes=tuple(_index(*row) for row in connection.rows(_INDEXES, name=name)),
        statuses=dict(
            connection.rows(Statement(f"SELECT status, COUNT(*) FROM {name} GROUP BY status"))
        ),
        scripts=tuple(
            (_text(row[0]), int(row[1]))
            for row in connection.rows(
                Statement(
                    f"SELECT {script}, COUNT(*) FROM {name} WHERE {script} <> ''"
                    f" GROUP BY {script} ORDER BY COUNT(*) DESC, {script} LIMIT {SCRIPTS_MOST + 1}"
                )
            )
        ),
        sample=tuple(
            _text(row[0])
            for row in connection.rows(
                Statement(
                    f"SELECT param FROM {name} WHERE param IS NOT NULL AND param <> ''"
                    f" ORDER BY id DESC LIMIT {SAMPLE}"
                )
            )
        ),
    )


def _index(name: str, non_unique: int, columns: Any) -> Index:
    columns = str(plain(columns))
    has_id = "id" in columns.lower().split(", ")
    return Index(str(name), columns, forbids_doubles=not non_unique and not has_id)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _refuse_kinds(columns: dict[str, Column]) -> None:
    """Types that the old programs never used, and that would be guessed at."""
    for name, kinds in _KINDS.items():
        column = columns.get(name)
        if column is not None and column.kind not in kinds:
            raise SchemaError(
                f"the column `{name}` of `{OLD}` is {column.type}: make it one of"
                f" {', '.join(sorted(kinds))} first"
            )
    if columns["id"].key != "PRI":
        raise SchemaError(f"the column `id` of `{OLD}` is not its primary key: make it that first")


def _refuse_companions(connection: Connection, name: str) -> None:
    """What would stay behind with the backup, and fail or be missed there."""
    triggers = [str(row[0]) for row in connection.rows(_TRIGGERS, name=name)]
    if triggers:
        raise SchemaError(
            f"`{OLD}` has triggers, which would not fire on the new table:"
            f" drop {', '.join(triggers)} first"
        )
    references = [str(row[0]) for row in connection.rows(_REFERENCES, name=name)]
    if references:
        raise SchemaError(
            f"foreign keys point at `{OLD}` and would stay with the old rows:"
            f" drop those of {', '.join(references)} first"
        )


def _extra_columns(connection: Connection, name: str, columns: dict[str, Column]) -> dict[str, str]:
    """The definitions, word for word, of columns that neither program knows."""
    unknown = {
        key: column
        for key, column in columns.items()
        if key != "taskphp" and key not in SHARED_COLUMNS
    }
    if not unknown:
        return {}
    definitions = _definitions(connection, name, columns)
    for key, column in unknown.items():
        why = None
        if key in OUR_COLUMNS:
            why = "has a name that qsuper uses for something else: rename it first"
        elif not column.nullable and column.default is None:
            why = "must be given by every INSERT, and qsuper's do not: give it a default first"
        elif column.name not in definitions or " GENERATED" in column.extra.upper():
            why = "cannot be carried over: drop it first"
        if why:
            raise SchemaError(f"the column `{column.name}` of `{OLD}` {why}")
    return {column.name: definitions[column.name] for column in unknown.values()}


def _definitions(connection: Connection, name: str, columns: dict[str, Column]) -> dict[str, str]:
    """What SHOW CREATE TABLE says of each column."""
    try:
        text = str(connection.row(Statement(f"SHOW CREATE TABLE {name}"))[1])
    except UnicodeDecodeError as error:
        # MariaDB writes the bytes of such a default as they are into its text.
        suspects = [
            column.name
            for column in columns.values()
            if column.kind in _BYTES and column.default is not None
        ]
        raise SchemaError(
            f"a default in `{name}` is bytes that are no text ({', '.join(suspects)}):"
            " ALTER the column to another default, or to none, first"
        ) from error
    return dict(re.findall(r"^\s+`(\w+)` (.*?),?$", text, re.MULTILINE))
