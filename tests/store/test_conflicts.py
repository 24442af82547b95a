"""A second job of a name: the first is kept, replaced or moved, whoever does it at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from qsuper import Queue
from qsuper.errors import JobIsEnding, ParamError
from qsuper.states import State
from tests.store.callers import Caller
from tests.store.table import Table

NAME = "welcome:4"


@pytest.fixture
def queue(table: Table) -> Queue:
    return Queue(table.url)


def add(queue: Queue, number: int, **options: Any) -> int:
    return queue.add("send_msg", {"n": number}, name=NAME, **options).id


def live(table: Table) -> list[tuple[Any, ...]]:
    return table.read("SELECT id, param FROM queue WHERE status IN (0, 2, 4, 6)")


def test_without_a_word_the_first_is_kept(table: Table, queue: Queue) -> None:
    first = add(queue, 1)
    assert add(queue, 2) == add(queue, 3, on_conflict="keep") == first
    assert live(table) == [(first, '{"n":1}')]


@pytest.mark.parametrize("state", [State.READY, State.SCHEDULED, State.HELD])
def test_the_one_that_waits_is_cancelled_and_replaced(
    table: Table, queue: Queue, state: State
) -> None:
    first = add(queue, 1)
    table.write("UPDATE queue SET status = :state", state=int(state))
    second = add(queue, 2, on_conflict="replace", priority=-3)
    assert second != first
    assert table.state(first) is State.CANCELLED
    assert live(table) == [(second, '{"n":2}')]
    assert table.row(second, "priority", "worker", "claims") == (-3, None, 0)


def test_where_there_is_nothing_to_replace_a_job_is_added(table: Table, queue: Queue) -> None:
    job_id = add(queue, 1, on_conflict="replace", delay=60)
    assert table.row(job_id, "status", "worker") == (State.SCHEDULED, None)


def test_a_running_one_is_let_run_without_its_name(table: Table, queue: Queue) -> None:
    first = add(queue, 1)
    table.claim()
    second = add(queue, 2, on_conflict="replace")
    assert table.row(first, "status", "name") == (State.RUNNING, None)
    assert table.state(second) is State.READY


def test_one_that_is_being_ended_cannot_be_replaced(table: Table, queue: Queue) -> None:
    add(queue, 1)
    table.claim()
    table.write("UPDATE queue SET cancel = 1")
    with pytest.raises(JobIsEnding):
        add(queue, 2, on_conflict="replace")
    assert len(live(table)) == 1


def test_the_one_that_waits_becomes_what_the_new_one_would_have_been(
    table: Table, queue: Queue
) -> None:
    first = add(queue, 1, delay=600, max_age=5.0)
    assert add(queue, 2, on_conflict="move", priority=7) == first
    assert live(table) == [(first, '{"n":2}')]
    assert table.row(first, "priority", "status", "max_age") == (7, State.READY, None)


def test_a_replacement_is_the_callers_to_commit(table: Table, queue: Queue, caller: Caller) -> None:
    first = add(queue, 1)
    add(queue, 2, on_conflict="replace", connection=caller.connection)
    caller.rollback()
    assert live(table) == [(first, '{"n":1}')]


def test_many_who_replace_one_name_at_once_leave_one(table: Table, queue: Queue) -> None:
    with ThreadPoolExecutor(4) as threads:
        ids = list(threads.map(lambda n: add(queue, n, on_conflict="replace"), range(100)))
    assert len(set(ids)) == 100
    ((last, _),) = live(table)
    assert table.states() == {State.CANCELLED: 99, State.READY: 1}
    assert last in ids


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "a", "on_conflict": "explode"}, "on_conflict is one of keep, replace, move"),
        ({"on_conflict": "move"}, "for jobs that have a name"),
        ({"max_age": 0}, "max_age is a number of seconds above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(
    table: Table, queue: Queue, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ParamError, match=words):
        queue.add("send_msg", {}, **options)
    assert table.read("SELECT id FROM queue") == []
