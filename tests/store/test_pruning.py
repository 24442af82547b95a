from qsuper.states import State
from qsuper.store import pruning
from tests.store.table import Table

DAY = 86400.0
KEEP = {State.DONE: 7 * DAY, State.CANCELLED: 7 * DAY, State.DEAD: 30 * DAY}


def walk(table: Table) -> int:
    pass_over = pruning.Pruning()
    while not pass_over.ended:
        pruning.step(table.connection, pass_over, KEEP)
    return pass_over.deleted


def age(table: Table, days: float) -> None:
    table.write("UPDATE queue SET mtime = {ago:age}", age=days * DAY)


def test_finished_rows_go_when_they_are_old_enough(table: Table) -> None:
    for state in State:
        table.add(status=int(state))
    age(table, 8)
    assert walk(table) == 2
    kept = {State.READY, State.RUNNING, State.SCHEDULED, State.HELD, State.DEAD}
    assert set(table.states()) == kept
    age(table, 31)
    assert walk(table) == 1
    assert set(table.states()) == kept - {State.DEAD}, "what has not ended is never pruned"


def test_young_rows_stay(table: Table) -> None:
    table.add(3, status=1)
    age(table, 6.9)
    assert walk(table) == 0


def test_the_records_of_attempts_go_with_their_job(table: Table) -> None:
    old, young = table.add(2, status=1)
    for job_id in (old, young):
        table.write(
            "INSERT INTO attempts (job_id, claims, attempt, outcome) VALUES (:id, 1, 1, 'failed')",
            id=job_id,
        )
    table.write("UPDATE queue SET mtime = {ago:age} WHERE id = :id", age=8 * DAY, id=old)
    assert walk(table) == 1
    assert table.read("SELECT job_id FROM attempts") == [(young,)]


def test_a_long_table_is_walked_in_steps(table: Table) -> None:
    table.add(pruning.STEP + 5, status=1)
    age(table, 8)
    pass_over = pruning.Pruning()
    steps = [pruning.step(table.connection, pass_over, KEEP) for _ in range(2)]
    assert steps == [pruning.STEP, 5]
    assert (pass_over.ended, pass_over.deleted) == (True, pruning.STEP + 5)


def test_an_empty_table_is_walked_at_once(table: Table) -> None:
    pass_over = pruning.Pruning()
    assert pruning.step(table.connection, pass_over, KEEP) == 0
    assert pass_over.ended


def test_a_row_whose_date_somebody_spoilt_does_not_stop_the_walk(sqlite_table: Table) -> None:
    """The programs that qsuper replaces wrote Unix times there."""
    spoilt, old = sqlite_table.add(2, status=1)
    age(sqlite_table, 8)
    sqlite_table.write("UPDATE queue SET mtime = 1700000000 WHERE id = :id", id=spoilt)
    assert walk(sqlite_table) == 1
    assert sqlite_table.read("SELECT id FROM queue") == [(spoilt,)]
    assert old != spoilt


def test_ids_are_never_used_again(table: Table) -> None:
    (last,) = table.add(status=1)
    age(table, 8)
    walk(table)
    table.connect()
    assert table.add() > [last]
