"""Queues paused on every node."""

from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.enqueueing import Writer

_PAUSED = Statement("SELECT name FROM queues WHERE paused = 1")
_SET = Statement(
    "INSERT INTO queues (name, paused) VALUES (:name, :paused) {on_same_name} paused = :paused"
)


def paused_queues(connection: Writer) -> frozenset[str]:
    return frozenset(str(row[0]) for row in connection.rows(_PAUSED))


def set_paused(connection: Connection, queue: str, paused: bool) -> None:
    """Pause or resume a queue everywhere; workers obey within a second."""
    connection.run(_SET, name=queue, paused=int(paused))
