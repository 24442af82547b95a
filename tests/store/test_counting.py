import pytest

from qsuper.states import State
from qsuper.store import counting
from tests.store.cost import double, plan, rows_read
from tests.store.table import Table


def test_every_state_is_counted_by_its_word(table: Table) -> None:
    for state in State:
        table.add(int(state) + 1, status=int(state))
    table.add(9, queue="mail")
    assert counting.depths(table.connection, ["default", "none"])["default"] == {
        state.word: int(state) + 1 for state in State
    }


def test_counts_end_at_the_cap(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    table.add(counting.CAP + 10, status=1)
    depths = counting.depths(table.connection, ["default"], (State.DONE,))
    assert depths == {"default": {"done": counting.CAP + 1}}


def test_the_age_of_the_oldest_ready_row_is_told(table: Table) -> None:
    assert counting.oldest_ready(table.connection, "default") is None
    first = table.add(2)[0]
    table.write("UPDATE queue SET run_at = {ago:age} WHERE id = :id", age=90, id=first)
    oldest = counting.oldest_ready(table.connection, "default")
    assert type(oldest) is float
    assert 89.9 < oldest < 120


def age(table: Table, job_id: int, seconds: float) -> None:
    table.write("UPDATE queue SET run_at = {ago:age} WHERE id = :id", age=seconds, id=job_id)


def told(table: Table) -> float:
    oldest = counting.oldest_ready(table.connection, "default")
    assert oldest is not None
    return oldest


@pytest.mark.parametrize("priority", [-(2**15), -1, 0, 7, 2**15 - 1])
def test_the_oldest_ready_row_is_found_whatever_its_priority(table: Table, priority: int) -> None:
    for beside in (-3, 0, 5):
        table.add(2, priority=beside)
    age(table, table.add(priority=priority)[0], 9000)
    assert 8999 < told(table) < 10_000


def test_rows_of_other_states_and_queues_have_no_part_in_the_age(table: Table) -> None:
    table.add()
    for other in (*table.add(queue="mail"), *(table.add(status=s)[0] for s in range(1, 7))):
        age(table, other, 9000)
    assert told(table) < 4500


def test_a_priority_is_asked_for_the_head_of_its_rows(table: Table) -> None:
    ids = table.add(counting.HEAD + 1)
    age(table, ids[-1], 90_000)
    assert told(table) < 45_000
    age(table, ids[-2], 9000)
    assert 8999 < told(table) < 45_000


def test_of_very_many_priorities_those_in_the_middle_are_left_out(table: Table) -> None:
    count = 2 * counting.PRIORITIES_MOST
    ids = [table.add(priority=7 * number)[0] for number in range(count)]
    edge = counting.PRIORITIES_MOST // 2
    age(table, ids[edge], 90_000)
    age(table, ids[-edge - 1], 90_000)
    assert told(table) < 45_000
    for number, seconds in ((edge - 1, 200_000), (-edge, 300_000)):
        age(table, ids[number], seconds)
        assert seconds - 1 < told(table) < seconds + 1000


def test_how_long_the_oldest_waits_is_found_in_few_rows_of_many(mysql_table: Table) -> None:
    table = mysql_table
    for priority in range(3):
        table.add(1000, priority=priority)
    double(table, 4)
    cost = rows_read(table, lambda: counting.oldest_ready(table.connection, "default"))
    # Each of a head is read in the table, and once more out of the head.
    assert 3 * counting.HEAD < cost < 3 * 3 * counting.HEAD


def test_how_long_the_oldest_waits_is_found_by_the_index_of_claims(table: Table) -> None:
    table.add(1000)
    double(table, 4)
    for edge in (counting._MOST_URGENT, counting._LEAST_URGENT):
        found = plan(table, edge.text, queue="default", first=-5, last=5)
        assert "claim" in found
        assert "filesort" not in found
        assert "TEMP B-TREE" not in found


def test_a_row_that_lies_ahead_has_no_age_below_zero(table: Table) -> None:
    table.add(run_at="2037-01-01 00:00:00.000")
    assert counting.oldest_ready(table.connection, "default") == 0


def test_every_queue_that_has_rows_is_found_once(table: Table) -> None:
    for queue in ("mail", "default", "Mail", "é"):
        table.add(3, queue=queue)
    assert counting.queue_names(table.connection) == ["Mail", "default", "mail", "é"]


def test_finding_the_queues_ends_at_a_bound(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "QUEUES_MOST", 3)
    for number in range(5):
        table.add(queue=f"q{number}")
    assert counting.queue_names(table.connection) == ["q0", "q1", "q2"]


def test_what_falls_due_next_has_its_named_rows_first(table: Table) -> None:
    for name, seconds in (("late", 500), (None, 5), (None, 6), ("soon", 50)):
        job = table.add(status=4, name=name)[0]
        table.write("UPDATE queue SET run_at = {in:ahead} WHERE id = :id", ahead=seconds, id=job)
    table.add(status=0, name="ready")
    found = counting.next_due(table.connection, "default", 3)
    assert [row.name for row in found] == ["soon", "late", None]
    assert [row.task for row in found] == sorted(row.task for row in found)
    assert found[0].at < found[1].at
    assert counting.next_due(table.connection, "none", 3) == []


def test_a_queue_whose_name_is_no_utf8_is_left_out_and_hides_no_other(sqlite_table: Table) -> None:
    for queue in ("alpha", "ÿ", "zeta", "🐘"):
        sqlite_table.add(2, status=3, queue=queue)
    for raw in ("80", "61ff", "c3", "ffff"):
        sqlite_table.write(
            f"INSERT INTO queue (task, queue, status) VALUES ('t', CAST(X'{raw}' AS TEXT), 3)"
        )
    names = counting.queue_names(sqlite_table.connection)
    assert names == ["alpha", "zeta", "ÿ", "🐘"]
    steps = plan(sqlite_table, counting._NEXT_QUEUE.text, after="alpha")
    assert "SEARCH queue USING COVERING INDEX" in str(steps)


def test_a_text_that_is_no_utf8_can_be_asked_for_and_equals_none(sqlite_table: Table) -> None:
    sqlite_table.write("INSERT INTO queue (task) VALUES (CAST(X'ff' AS TEXT))")
    ((task,),) = sqlite_table.read("SELECT task FROM queue")
    assert task == "\udcff"
    assert sqlite_table.read("SELECT id FROM queue WHERE task = :task", task=task) == []
    cast = "SELECT COUNT(*) FROM queue WHERE task = {as_text::task}"
    assert sqlite_table.read(cast, task=task) == [(1,)]
    with pytest.raises(UnicodeEncodeError):
        sqlite_table.write("UPDATE queue SET task = :task", task=task)
