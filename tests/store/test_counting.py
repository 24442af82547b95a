import pytest

from qsuper.states import State
from qsuper.store import counting
from tests.store.table import Table


def test_every_state_is_counted_by_its_word(table: Table) -> None:
    for state in State:
        table.add(int(state) + 1, status=int(state))
    table.add(9, queue="mail")
    assert counting.depth(table.connection, "default").states == {
        state.word: int(state) + 1 for state in State
    }


def test_counts_end_at_the_cap(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    table.add(counting.CAP + 10, status=1)
    depth = counting.depth(table.connection, "default", (State.DONE,))
    assert depth.states == {"done": counting.CAP + 1}


def test_the_age_of_the_oldest_ready_row_is_told(table: Table) -> None:
    assert counting.depth(table.connection, "default").oldest_ready is None
    first = table.add(2)[0]
    table.write("UPDATE queue SET run_at = {ago:age} WHERE id = :id", age=90, id=first)
    oldest = counting.depth(table.connection, "default").oldest_ready
    assert type(oldest) is float
    assert 89.9 < oldest < 120


def test_a_row_that_lies_ahead_has_no_age_below_zero(table: Table) -> None:
    table.add(run_at="2037-01-01 00:00:00.000")
    assert counting.depth(table.connection, "default").oldest_ready == 0


def test_every_queue_that_has_rows_is_found_once(table: Table) -> None:
    for queue in ("mail", "default", "Mail", "é"):
        table.add(3, queue=queue)
    assert counting.queue_names(table.connection) == ["Mail", "default", "mail", "é"]


def test_finding_the_queues_ends_at_a_bound(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "QUEUES_MOST", 3)
    for number in range(5):
        table.add(queue=f"q{number}")
    assert counting.queue_names(table.connection) == ["q0", "q1", "q2"]
