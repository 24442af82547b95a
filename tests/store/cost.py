"""What a statement costs the database: the index it goes by, the rows it reads."""

from collections.abc import Callable

from qsuper.store.backend import Statement
from tests.store.table import Table

_COUNTERS = Statement("SHOW SESSION STATUS LIKE 'Handler_read%'")
_COLUMNS = "queue, task, status, priority, run_at"


def plan(table: Table, sql: str, **params: object) -> str:
    """How the database would run it: the name of the index is among the words."""
    explain = "EXPLAIN QUERY PLAN" if table.is_sqlite else "EXPLAIN"
    rows = table.read(f"{explain} {sql}", **params)
    # MySQL's columns 4 and 5: what it might go by, and what it does.
    words = [row[3] if table.is_sqlite else f"{row[5]} {row[9:]}" for row in rows]
    return " | ".join(words)


def rows_read(table: Table, call: Callable[[], object]) -> int:
    """How many rows the MySQL server reads for `call`, by the table's own connection."""

    def total() -> int:
        return sum(int(count) for _, count in table.connection.rows(_COUNTERS))

    total()
    before = total()
    counting = total() - before
    before = total()
    call()
    return total() - before - counting


def double(table: Table, times: int) -> None:
    """As many rows again, so many times over: like those there are, but for names."""
    for _ in range(times):
        table.write(f"INSERT INTO queue ({_COLUMNS}) SELECT {_COLUMNS} FROM queue")
