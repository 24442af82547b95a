"""A caller's open transaction on a name delays that name, and neither other jobs nor their ends."""

from collections.abc import Callable, Iterator
from typing import Any

import pymysql
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


def test_with_all_that_has_no_name_before_the_names_they_would_wait(
    mysql_table: Table, queue: Queue
) -> None:
    """As NULLs stand in an index of their own: the test above can fail."""
    table = mysql_table
    table.write("ALTER TABLE queue DROP KEY live_name, ADD UNIQUE KEY live_name (live_name)")
    caller = table.bare(autocommit=False)
    queue.timer("order:SN1", 900, "t", connection=caller)
    foreign = table.bare()
    foreign.cursor().execute("SET SESSION innodb_lock_wait_timeout = 1")
    with pytest.raises(pymysql.OperationalError, match="Lock wait timeout"):
        foreign.cursor().execute("INSERT INTO queue (task) VALUES ('send_msg')")
    caller.rollback()
