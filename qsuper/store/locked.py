"""Batched writes that somebody's open transaction on one of the rows shall not hold up."""

from typing import Any

from qsuper.states import State
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection

_FREE = Statement("SELECT id FROM queue WHERE id IN {ids} AND {status} = :state {skip_locked}")
"""The rows that nobody holds, locked until the transaction ends."""


def run_around_locks(
    connection: Connection, statement: Statement, ids: list[int], state: State, **params: Any
) -> int:
    """Run a guarded UPDATE of rows in `state`; where a row is held, do the others. Returns how
    many were done.

    Raises `StoreBusy` on SQLite, where a lock is always on the whole file.
    """
    try:
        return connection.run(statement, ids=ids, **params)
    except StoreBusy:
        if connection.backend.name == "sqlite":
            raise
    with connection.transaction():
        free = [row[0] for row in connection.rows(_FREE, ids=ids, state=int(state))]
        return connection.run(statement, ids=free, **params) if free else 0
