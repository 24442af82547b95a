"""The columns of a table, as the server describes them."""

from dataclasses import dataclass
from typing import Any

from qsuper.store.backend import Statement
from qsuper.store.database import Connection

_COLUMNS = Statement(
    """
    SELECT column_name, data_type, column_type, is_nullable, column_default, extra,
        character_set_name, character_maximum_length, column_key
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = :name ORDER BY ordinal_position
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


def read_columns(connection: Connection, name: str) -> dict[str, Column]:
    """The columns of a table by name in small letters, in their order."""
    return {row[0].lower(): _column(row) for row in connection.rows(_COLUMNS, name=name)}


def _column(row: Any) -> Column:
    name, kind, whole, nullable, default, extra, charset, length, key = map(plain, row)
    return Column(
        name, kind.lower(), whole, nullable == "YES", default, extra, charset, length, key
    )


def plain(value: Any) -> Any:
    """MySQL 8 gives some of these as bytes."""
    return value.decode() if isinstance(value, bytes) else value
