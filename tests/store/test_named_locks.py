"""A caller's open transaction on a name delays that name, and neither other jobs nor their ends."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qsuper import Queue
from qsuper.states import State
from qsuper.store import acking
from tests.store.table import WORKER, Table

OLD, OTHER = "order:SN5", "order:SN7"


@pytest.fixture
def queue(mysql_table: Table) -> Iterator[Queue]:
    queue = Queue(mysql_table.url)
    yield queue
    queue.close()


WAYS: dict[str, Callable[[Queue, Any], object]] = {
    "sets": lambda queue, caller: queue.timer("order:SN1", 900, "t", connection=caller),
    "moves": lambda queue, caller: queue.timer(OLD, 900, "t", connection=caller),
    "cancels": lambda queue, caller: queue.cancel(OLD, connection=caller),
    "cancels what is not there": lambda queue, caller: queue.cancel("order:SN2", connection=caller),
    "adds by name": lambda queue, caller: queue.add("t", name=OLD, connection=caller),
}


@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "READ COMMITTED"])
@pytest.mark.parametrize("way", WAYS)
def test_others_enqueue_and_end_while_a_caller(
    mysql_table: Table, queue: Queue, way: str, isolation: str
) -> None:
    table = mysql_table
    queue.timer(OLD, 900, "t")
    ended = queue.add("t", name=OTHER).id
    assert [job.id for job in table.claim()] == [ended]
    caller = table.bare(autocommit=False)
    caller.cursor().execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}")
    caller.begin()
    WAYS[way](queue, caller)
    # Whoever has to wait here gives up after a second, and the test fails.
    foreign = table.bare()
    foreign.cursor().execute("SET SESSION innodb_lock_wait_timeout = 1")
    foreign.cursor().execute("INSERT INTO queue (task) VALUES ('send_msg')")
    table.add(3)
    assert acking.complete(table.connection, WORKER, [ended], 1) == 1
    assert table.state(ended) is State.DONE
    caller.rollback()
