"""How the database means to find the next jobs: which index it reads, and whether it sorts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from qsuper.store import claiming, looking
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

CLAIM, DUE = "claim", "due"
"""Indexes of `queue`."""


_MADE = {
    "mysql": {
        CLAIM: "CREATE INDEX claim ON queue (queue, status, priority, id)",
        DUE: "CREATE INDEX due ON queue (queue, scheduled, run_at)",
    },
    "sqlite": {
        CLAIM: "CREATE INDEX claim ON queue (queue, status, priority, id)",
        DUE: "CREATE INDEX due ON queue (queue, run_at) WHERE status = 4",
    },
}


@dataclass(frozen=True, slots=True)
class _Look:
    """A statement of which hangs how long a claim takes."""

    what: str
    statement: Statement
    index: str
    table: str
    """How the statement calls `queue` where it reads that index."""


# The very statements, however private: a copy would be examined in their stead one day.
_LOOKS = (
    _Look("the claim", claiming.OF_ALL, CLAIM, "q"),
    _Look("the claim of a slice", claiming.OF_SLICE, CLAIM, "queue"),
    _Look("the look for what is due", looking.DUE, DUE, "queue"),
)
_BOUND = {"most": 16, "window": 64, "count": 4, "index": 1, "last": 1}
_INDEXES = {
    "mysql": Statement(
        """
        SELECT DISTINCT index_name FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND table_name = 'queue'
        """
    ),
    "sqlite": Statement("SELECT name FROM pragma_index_list('queue')"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is meant to be done for one of the looks."""

    what: str
    wanted: str
    """The index."""
    used: str | None
    """None when the table is read as a whole."""
    sorts: bool
    """The whole backlog is sorted, for the index is not read in its order."""

    @property
    def is_good(self) -> bool:
        return self.used == self.wanted and not self.sorts


def missing_indexes(connection: Connection) -> dict[str, str]:
    """Those without which each look reads the whole queue, and the statement that makes each."""
    kind = connection.backend.name
    names = {str(row[0]) for row in connection.rows(_INDEXES[kind])}
    return {index: made for index, made in _MADE[kind].items() if index not in names}


def plans(connection: Connection, queue: str) -> list[Plan]:
    """For jobs of that queue, with its rows as they are."""
    explain = _explained_by_sqlite if connection.backend.name == "sqlite" else _explained_by_mysql
    return [explain(connection, look, queue) for look in _LOOKS]


def rows_about(connection: Connection) -> int:
    """Rows of `queue`, roughly: with few of them any plan is as good as another."""
    if connection.backend.name == "sqlite":
        statement = Statement("SELECT seq FROM sqlite_sequence WHERE name = 'queue'")
    else:
        statement = Statement(
            """
            SELECT table_rows FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_name = 'queue'
            """
        )
    row = connection.row(statement)
    return int(row[0] or 0) if row else 0


def _explained_by_sqlite(connection: Connection, look: _Look, queue: str) -> Plan:
    statement = Statement(f"EXPLAIN QUERY PLAN {look.statement.text}")
    steps = [str(row[3]) for row in connection.rows(statement, queue=queue, **_BOUND)]
    step = next((step for step in steps if f" {look.table} " in f"{step} "), "")
    used = step.partition(" INDEX ")[2].partition(" ")[0] or None
    # The rows that are found are put into order again where they are joined: those are few.
    flat = len(steps) <= 2
    return Plan(look.what, look.index, used, flat and any("TEMP B-TREE" in one for one in steps))


def _explained_by_mysql(connection: Connection, look: _Look, queue: str) -> Plan:
    statement = Statement(f"EXPLAIN FORMAT=JSON {look.statement.text}")
    found = json.loads(connection.row(statement, queue=queue, **_BOUND)[0])
    for table, sorted_by in _tables(found, False):
        if table["table_name"] == look.table and table.get("key") != "PRIMARY":
            return Plan(look.what, look.index, table.get("key"), sorted_by)
    return Plan(look.what, look.index, None, False)


def _tables(part: Any, sorts: bool) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every table of a plan, and whether its rows are sorted right after they are read."""
    if isinstance(part, list):
        for one in part:
            yield from _tables(one, sorts)
    elif isinstance(part, dict):
        if "table_name" in part:
            yield part, sorts
            yield from _tables(part.get("materialized"), False)
            yield from _tables(part.get("materialized_from_subquery"), False)
            return
        for name, inner in part.items():
            filesort = name == "filesort" or part.get("using_filesort") is True
            yield from _tables(inner, sorts or filesort)
