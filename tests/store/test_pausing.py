from qsuper.store import pausing
from tests.store.table import Table


def test_a_queue_is_paused_and_resumed_everywhere(table: Table) -> None:
    elsewhere = table.connect()
    pausing.set_paused(table.connection, "mail", True)
    pausing.set_paused(table.connection, "default", True)
    assert pausing.paused_queues(elsewhere) == {"mail", "default"}
    pausing.set_paused(elsewhere, "mail", True)
    pausing.set_paused(elsewhere, "mail", False)
    assert pausing.paused_queues(table.connection) == {"default"}


def test_a_queue_that_never_was_paused_can_be_resumed(table: Table) -> None:
    pausing.set_paused(table.connection, "mail", False)
    assert pausing.paused_queues(table.connection) == frozenset()
