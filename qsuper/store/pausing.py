"""Queues paused on every node."""

from qsuper.store.backend import Statement
from qsuper.store.database import Connection

_PAUSED = Statement("SELECT name FROM queues WHERE paused = 1")
_SET = Statement("UPDATE queues SET paused = :paused WHERE name = :name")
_ENTER = Statement("INSERT INTO queues (name, paused) VALUES (:name, :paused)")
_ENTERED = Statement("SELECT 1 FROM queues WHERE name = :name")


def paused_queues(connection: Connection) -> frozenset[str]:
    return frozenset(str(row[0]) for row in connection.rows(_PAUSED))


def set_paused(connection: Connection, queue: str, paused: bool) -> None:
    """Pause or resume a queue everywhere; workers obey within a second."""
    with connection.transaction():
        if connection.row(_ENTERED, name=queue):
            connection.run(_SET, name=queue, paused=int(paused))
        else:
            connection.run(_ENTER, name=queue, paused=int(paused))
