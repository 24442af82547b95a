"""Groups: the last job to be done adds one more, and it alone."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from qsuper import Queue
from qsuper.errors import ParamError, QsuperError
from qsuper.states import State
from qsuper.store import acking, cancelling, claiming
from qsuper.store.acking import Report
from tests.store.callers import Caller
from tests.store.table import WORKER, Table

MEMBERS = 5


@pytest.fixture
def queue(table: Table) -> Queue:
    return Queue(table.url)


def open_group(queue: Queue, members: int = MEMBERS, **options: Any) -> list[int]:
    with queue.group("send_report", {"to": "chief"}, priority=3, **options) as group:
        for page in range(members):
            group.add("draw_page", {"page": page})
    return group.ids


def finish(table: Table, count: int) -> None:
    for job in table.claim(most=count):
        assert job.grouped
        acking.complete_with(table.connection, WORKER, job, took_ms=1, result=None)


def reports(table: Table) -> list[tuple[Any, ...]]:
    return table.read("SELECT task, param, priority FROM queue WHERE task = 'send_report'")


def test_the_last_one_that_is_done_adds_what_waits_for_all(table: Table, queue: Queue) -> None:
    assert len(open_group(queue)) == MEMBERS
    finish(table, MEMBERS - 1)
    assert reports(table) == []
    finish(table, 1)
    assert reports(table) == [("send_report", '{"to":"chief"}', 3)]
    assert table.read("SELECT * FROM job_groups") == []


def test_a_group_of_none_adds_it_at_once(table: Table, queue: Queue) -> None:
    assert open_group(queue, 0) == []
    assert len(reports(table)) == 1


def test_a_dead_one_is_waited_for_until_it_is_done(table: Table, queue: Queue) -> None:
    open_group(queue)
    finish(table, MEMBERS - 1)
    (job,) = table.claim()
    assert acking.bury(table.connection, WORKER, job, Report("a", "boom"))
    assert reports(table) == []
    cancelling.revive(table.connection, job.id)
    finish(table, 1)
    assert len(reports(table)) == 1


def test_a_done_one_that_is_run_again_counts_once(table: Table, queue: Queue) -> None:
    ids = open_group(queue)
    finish(table, 1)
    cancelling.revive(table.connection, ids[0])
    (again,) = [job for job in table.claim(most=MEMBERS) if job.id == ids[0]]
    assert not again.grouped
    acking.complete(table.connection, WORKER, [again.id], 1)
    assert table.read("SELECT pending FROM job_groups") == [(MEMBERS - 1,)]


def test_a_late_ack_counts_nothing(table: Table, queue: Queue) -> None:
    open_group(queue)
    (job,) = table.claim()
    assert not acking.complete_with(table.connection, "other-1", job, took_ms=1, result=None)
    assert table.read("SELECT pending FROM job_groups") == [(MEMBERS,)]


def test_members_that_end_at_once_add_one_report(table: Table, queue: Queue) -> None:
    open_group(queue, 60)
    connections = [table.connect() for _ in range(4)]
    shares = [
        claiming.claim(one, queue="default", worker=WORKER, most=15).jobs for one in connections
    ]

    def end(number: int) -> None:
        for job in shares[number]:
            while True:
                try:
                    acking.complete_with(connections[number], WORKER, job, took_ms=1, result=None)
                    break
                except QsuperError:
                    # Deadlocks and busy files are the worker's to try again.
                    continue

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(end, range(4)))
    assert table.states() == {State.DONE: 60, State.READY: 1}
    assert len(reports(table)) == 1


def test_a_group_is_the_callers_to_commit(table: Table, queue: Queue, caller: Caller) -> None:
    open_group(queue, connection=caller.connection)
    caller.rollback()
    assert table.read("SELECT id FROM queue") == []
    assert table.read("SELECT id FROM job_groups") == []


def test_an_error_inside_the_block_adds_nothing(table: Table, queue: Queue) -> None:
    def fail() -> None:
        with queue.group("send_report") as group:
            group.add("draw_page")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert table.read("SELECT id FROM queue") == []


def test_a_job_of_a_group_has_no_name_and_is_added_in_time(table: Table, queue: Queue) -> None:
    with queue.group("send_report") as group, pytest.raises(ParamError, match="has no name"):
        group.add("draw_page", name="a")
    with pytest.raises(QsuperError, match="inside its `with` block"):
        group.add("draw_page")
    assert table.states() == {State.READY: 1}
