"""The table as the PHP loop has it, in any of its forms, and the forms that are refused."""

import re
from dataclasses import dataclass
from typing import Any

from qsuper.errors import SchemaError
from qsuper.store.adopting.names import OLD, OUR_COLUMNS, SHARED_COLUMNS
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

WAITING, DONE = 0, 1
SAMPLE = 200
SCRIPTS_MOST = 20
_TASK_MOST = 190
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

_COLUMNS = Statement(
    """
    SELECT column_name, data_type, column_type, is_nullable, column_default, extra,
        character_set_name, character_maximum_length, column_key
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = :name ORDER BY ordinal_position
    """
)
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
    SELECT DISTINCT index_name FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = :name AND index_name <> 'PRIMARY'
    """
)


@dataclass(frozen=True)
class Column:
    """A column as the server describes it."""

    name: str
    kind: str
    """Its type without length: `int`, `varchar`."""
    type: str
    nullable: bool
    default: str | None
    extra: str
    charset: str | None
    length: int | None
    key: str


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
    indexes: tuple[str, ...]
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
    columns = {row[0].lower(): _column(row) for row in connection.rows(_COLUMNS, name=name)}
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
    script = f"`{columns['taskphp'].name}`"
    if (columns["taskphp"].length or 0) > _TASK_MOST:
        _refuse_long_names(connection, name, script)
    return OldTable(
        name=name,
        engine=str(engine),
        size=int(size),
        columns=columns,
        extra=extra,
        indexes=tuple(str(row[0]) for row in connection.rows(_INDEXES, name=name)),
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


def _column(row: Any) -> Column:
    name, kind, whole, nullable, default, extra, charset, length, key = map(_plain, row)
    return Column(
        name, kind.lower(), whole, nullable == "YES", default, extra, charset, length, key
    )


def _plain(value: Any) -> Any:
    """MySQL 8 gives some of these as bytes."""
    return value.decode() if isinstance(value, bytes) else value


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


def _refuse_long_names(connection: Connection, name: str, script: str) -> None:
    statement = f"SELECT COUNT(*) FROM {name} WHERE CHAR_LENGTH({script}) > {_TASK_MOST}"
    if count := connection.row(Statement(statement))[0]:
        raise SchemaError(
            f"{count} rows name a program in more than {_TASK_MOST} letters, the longest name of a"
            " task: shorten them first"
        )


def _extra_columns(connection: Connection, name: str, columns: dict[str, Column]) -> dict[str, str]:
    """The definitions, word for word, of columns that neither program knows."""
    definitions = dict(
        re.findall(
            r"^\s+`(\w+)` (.*?),?$",
            str(connection.row(Statement(f"SHOW CREATE TABLE {name}"))[1]),
            re.MULTILINE,
        )
    )
    extra = {}
    for key, column in columns.items():
        if key == "taskphp" or key in SHARED_COLUMNS:
            continue
        why = None
        if key in OUR_COLUMNS:
            why = "has a name that qsuper uses for something else: rename it first"
        elif not column.nullable and column.default is None:
            why = "must be given by every INSERT, and qsuper's do not: give it a default first"
        elif column.name not in definitions or " GENERATED" in column.extra.upper():
            why = "cannot be carried over: drop it first"
        if why:
            raise SchemaError(f"the column `{column.name}` of `{OLD}` {why}")
        extra[column.name] = definitions[column.name]
    return extra
