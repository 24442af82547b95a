"""The rows, from the backup into the new table: first those that wait, then the others."""

from collections.abc import Callable

from qsuper.errors import SchemaError
from qsuper.store.adopting import param
from qsuper.store.adopting.column import Column
from qsuper.store.adopting.names import BACKUP, OLD, PROGRESS
from qsuper.store.adopting.old_table import DONE, WAITING, OldTable
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection

STEP = 2000
"""Ids of one transaction: so few that no writer waits noticeably for the counter of the ids."""
TRIES = 10
"""Tries of one transaction that others' locks stand in the way of."""

_WALKS = {"waiting_upto": f"o.status <=> {WAITING}", "finished_upto": f"NOT o.status <=> {WAITING}"}
"""How far each walk has come, and which rows it copies."""

_READ = Statement(f"SELECT waiting_upto, finished_upto, copied FROM {PROGRESS}")
_UPTO = Statement(
    f"SELECT MAX(id) FROM (SELECT id FROM {BACKUP} WHERE id > :after ORDER BY id LIMIT :step) next"
)
_COUNT = Statement(f"SELECT COUNT(*) FROM {BACKUP}")
_ADVANCE = {
    walk: Statement(
        f"UPDATE {PROGRESS} SET {walk} = :upto, copied = copied + :copied WHERE {walk} = :after"
    )
    for walk in _WALKS
}


def copy_statement(old: OldTable, which: str) -> Statement:
    """Copy the rows of a range of ids that fit a condition.

    The priority goes over as it is: where the old programs' direction is the other one, the new
    table's trigger turns it, as it does for what they will write.
    """
    ctime = _date(old.columns.get("ctime"), "CURRENT_TIMESTAMP(6)")
    values = {
        "id": "o.id",
        "taskphp": "o.taskphp" if old.columns["taskphp"].nullable else "COALESCE(o.taskphp, '')",
        "param": param.in_utf8mb4(old.columns["param"], "o.id IN {ids}"),
        # Another status means that something went wrong there: nobody shall run it unasked.
        "status": f"CASE o.status WHEN {WAITING} THEN 0 WHEN {DONE} THEN 1 ELSE 3 END",
        "run_at": f"LEAST({ctime}, CURRENT_TIMESTAMP(6))",
        "ctime": ctime,
        "mtime": _date(old.columns.get("mtime"), ctime),
    }
    if old.has_priority:
        values["priority"] = (
            "GREATEST(-32768, LEAST(32767, COALESCE(CAST(o.priority AS SIGNED), 0)))"
        )
    values |= {f"`{name}`": f"o.`{name}`" for name in old.extra}
    return Statement(
        f"INSERT INTO {OLD} ({', '.join(values)}) SELECT {', '.join(values.values())}"
        f" FROM {BACKUP} o WHERE o.id > :after AND o.id <= :upto AND {which}"
    )


def shown_copy(old: OldTable) -> str:
    """The same for people, who need not see how each form of a date is read."""
    into = copy_statement(old, "").text.partition(" SELECT ")[0]
    return f"{into} SELECT … FROM {BACKUP}, {STEP:,} ids at a time, waiting rows first"


def _date(column: Column | None, otherwise: str) -> str:
    """A date of the old table in UTC, or `otherwise` where it is none (NULL, 0, 0000-00-00).

    A DATETIME is taken as written by the server's clock.
    """
    if column is None:
        return otherwise
    name = f"o.`{column.name}`"
    if column.kind == "timestamp":
        unix = f"UNIX_TIMESTAMP({name})"
    elif column.kind == "datetime":
        unix = f"UNIX_TIMESTAMP(CONVERT_TZ({name}, @@global.time_zone, '+00:00'))"
    else:
        unix = name
    return f"IF({unix} > 0, FROM_UNIXTIME(LEAST({unix}, 2147483646)), {otherwise})"


def _latin1_rows(connection: Connection, old: OldTable, after: int, upto: int) -> list[int]:
    """The rows whose params are no UTF-8, though others' may be."""
    column = old.columns["param"]
    if not param.may_be_either(column):
        return []
    statement = Statement(
        f"SELECT o.id FROM {BACKUP} o WHERE o.id > :after AND o.id <= :upto"
        f" AND {param.is_latin1(column)}"
    )
    return [row[0] for row in connection.rows(statement, after=after, upto=upto)]


def copy(connection: Connection, old: OldTable, tell: Callable[[int], None]) -> int:
    """Copy what has not been copied yet; returns how many rows are copied in all.

    `tell` is called with the number so far. Raises `SchemaError` when rows are left over.
    """
    for walk, which in _WALKS.items():
        statement = copy_statement(old, which)
        after = _progress(connection)[walk]
        while upto := connection.row(_UPTO, after=after, step=STEP)[0]:
            ids = _latin1_rows(connection, old, after, upto)
            _step(connection, statement, walk, after=after, upto=upto, ids=ids)
            after = upto
            tell(_progress(connection)["copied"])
    copied, rows = _progress(connection)["copied"], connection.row(_COUNT)[0]
    if copied != rows:
        raise SchemaError(
            f"{rows - copied} rows of `{BACKUP}` could not be copied: their ids are below 1"
        )
    return copied


def _step(
    connection: Connection,
    statement: Statement,
    walk: str,
    *,
    after: int,
    upto: int,
    ids: list[int],
) -> None:
    """One range of ids, and that it is done, in one transaction.

    So no crash copies a row twice, even if it has been run and pruned meanwhile.
    """
    for left in reversed(range(TRIES)):
        try:
            with connection.transaction():
                copied = connection.run(statement, after=after, upto=upto, ids=ids)
                if connection.run(_ADVANCE[walk], after=after, upto=upto, copied=copied) != 1:
                    raise SchemaError("another `qsuper db adopt` copies these rows: wait for it")
            return
        except StoreBusy:
            if not left:
                raise


def _progress(connection: Connection) -> dict[str, int]:
    return dict(zip((*_WALKS, "copied"), map(int, connection.row(_READ)), strict=True))
