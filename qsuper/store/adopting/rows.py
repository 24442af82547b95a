"""The rows that could not be copied, or leave the new table no ids: found before anything changes.

Each refusal names the table in which they stand now: should such a row have been written between
the look and the switch, the next attempt says which one of the backup is to be mended.
"""

from qsuper.errors import SchemaError
from qsuper.store.adopting import param
from qsuper.store.adopting.column import Column
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

ROOM = 10_000
"""Ids left free above the old table's last: for what is written between the look and the switch."""
ID_MOST = 2**63 - 1 - 2 * ROOM
PARAM_MOST = 2**24 - 1
"""Bytes that a MEDIUMTEXT holds."""
TASK_MOST = 190
"""Letters of a task's name."""

_LARGE = {"mediumtext", "longtext", "mediumblob", "longblob"}
_GROWTH = 3
"""What a byte of any character set may become in utf8mb4, at most."""


def last_id(connection: Connection, name: str) -> int:
    """The largest id that the table has given, even if its row is gone."""
    statement = f"""
        SELECT GREATEST(
            (SELECT COALESCE(MAX(id), 0) FROM {name}),
            (SELECT COALESCE(MAX(auto_increment), 0) FROM information_schema.tables
             WHERE table_schema = DATABASE() AND table_name = '{name}')
        )
    """
    return int(connection.row(Statement(statement))[0])


def refuse(connection: Connection, name: str, columns: dict[str, Column]) -> None:
    """Raises `SchemaError` for the first kind of row that is in the way."""
    _refuse_ids(connection, name)
    if sum(column.key == "PRI" for column in columns.values()) > 1:
        _refuse_repeated_ids(connection, name)
    if (columns["taskphp"].length or 0) > TASK_MOST:
        _refuse_long_names(connection, name, columns["taskphp"])
    if columns["param"].kind in _LARGE:
        _refuse_large_params(connection, name, columns["param"])


def _refuse_ids(connection: Connection, name: str) -> None:
    least = connection.row(Statement(f"SELECT MIN(id) FROM {name}"))[0]
    if least is not None and least < 1:
        raise SchemaError(
            f"the smallest id of `{name}` is {least}, and qsuper's begin at 1: give the rows below"
            " 1 other ids, or delete them, first"
        )
    last = last_id(connection, name)
    if last > ID_MOST:
        raise SchemaError(
            f"the ids (or the AUTO_INCREMENT) of `{name}` have come to {last}, which leaves none"
            f" for new rows: give rows above {ID_MOST} smaller ids and lower AUTO_INCREMENT first"
        )


def _refuse_repeated_ids(connection: Connection, name: str) -> None:
    statement = f"SELECT id, COUNT(*) FROM {name} GROUP BY id HAVING COUNT(*) > 1 LIMIT 1"
    if row := connection.row(Statement(statement)):
        raise SchemaError(
            f"{row[1]} rows of `{name}` have the id {row[0]}, for its primary key has further"
            " columns: make `id` alone the primary key first"
        )


def _refuse_long_names(connection: Connection, name: str, script: Column) -> None:
    statement = f"SELECT COUNT(*) FROM {name} WHERE CHAR_LENGTH(`{script.name}`) > {TASK_MOST}"
    if count := connection.row(Statement(statement))[0]:
        raise SchemaError(
            f"{count} rows name a program in more than {TASK_MOST} letters, the longest name of a"
            " task: shorten them first"
        )


def _refuse_large_params(connection: Connection, name: str, column: Column) -> None:
    text = param.in_utf8mb4(column, param.is_latin1(column))
    statement = Statement(
        f"SELECT COUNT(*), MIN(o.id) FROM {name} o"
        f" WHERE OCTET_LENGTH(o.`{column.name}`) > {PARAM_MOST // _GROWTH}"
        f" AND OCTET_LENGTH({text}) > {PARAM_MOST}"
    )
    count, first = connection.row(statement)
    if count:
        raise SchemaError(
            f"{count} rows of `{name}` have a param of more than {PARAM_MOST:,} bytes, the most"
            f" that a job's holds (the first is id {first}): shorten or delete them first"
        )
