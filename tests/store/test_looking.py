import pytest

from qsuper.states import State
from qsuper.store import looking
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection
from qsuper.store.looking import AROUND, Promoter
from tests.store.cost import double, plan, rows_read
from tests.store.table import Table

ROWS = 20


def test_one_look_sees_every_queue(table: Table) -> None:
    table.add(3)
    table.add(2, queue="mail", status=4)
    table.write("UPDATE queue SET run_at = {in:delay} WHERE queue = 'mail'", delay=60)
    sights = looking.Watcher(["default", "mail", "none"]).look(table.connection)
    assert sights["default"] == looking.Sight(3, None)
    assert sights["none"] == looking.Sight(0, None)
    assert sights["mail"].ready == 0
    due_in = sights["mail"].due_in
    assert type(due_in) is float
    assert 30 < due_in <= 60.1


def test_ready_rows_are_counted_up_to_a_cap(table: Table) -> None:
    table.add(looking.LOOK_MOST + 30)
    assert looking.Watcher(["default"]).look(table.connection)["default"].ready == looking.LOOK_MOST


def test_a_look_is_one_statement_that_reads_few_rows_of_many(mysql_table: Table) -> None:
    mysql_table.add(2000)
    mysql_table.add(2000, status=4)
    watcher = looking.Watcher(["default", "mail"])
    cost = rows_read(mysql_table, lambda: watcher.look(mysql_table.connection))
    assert 0 < cost < 4 * looking.LOOK_MOST


def crowd(table: Table) -> None:
    """100,000 finished rows and 10,000 ready ones, and in a queue of their own a few timers."""
    table.add(1000, status=1)
    table.add(100)
    double(table, 7)
    assert table.states() == {State.READY: 12_800, State.DONE: 128_000}
    table.add(ROWS, status=4, run_at="2020-01-01 00:00:00.000")
    table.add(ROWS, status=4, run_at="2037-01-01 00:00:00.000")
    if not table.is_sqlite:
        table.connection.rows(Statement("ANALYZE TABLE queue"))


def goes_by_its_index(table: Table, due: str) -> bool:
    """Whether the order of the index serves a look for what is due: nothing is sorted."""
    found = plan(table, due, queue="default", most=looking.PROMOTE_MOST)
    if table.is_sqlite:
        return found == "SEARCH queue USING INDEX due (queue=? AND run_at<?)"
    return found.startswith("due ") and "filesort" not in found


def test_what_is_due_is_found_by_its_own_index_beside_many_rows(table: Table) -> None:
    crowd(table)
    assert goes_by_its_index(table, looking.DUE.text)
    if table.is_sqlite:
        watcher = looking.Watcher(["default"])
        look = plan(table, watcher._statement.text, **watcher._bound)
        assert "SEARCH queue USING INDEX due (queue=?)" in look
    assert looking.Watcher(["default"]).look(table.connection)["default"].overdue
    assert looking.promote(table.connection, "default") == ROWS


def test_the_plan_tells_when_the_index_does_not_serve(table: Table) -> None:
    """Did every plan look like that, the test before this one would prove nothing."""
    crowd(table)
    other = looking.DUE.text.replace("{scheduled}", "status + 0 = 4")
    assert not goes_by_its_index(table, other)


def test_a_look_and_a_promotion_read_as_many_rows_as_are_due_beside_many(
    mysql_table: Table,
) -> None:
    table = mysql_table
    crowd(table)
    connection, watcher = table.connection, looking.Watcher(["default"])
    assert 0 < rows_read(table, lambda: watcher.look(connection)) < 4 * looking.LOOK_MOST
    # Each due row once by the index and once by its id.
    assert ROWS <= rows_read(table, lambda: looking.promote(connection, "default")) < 4 * ROWS


def test_a_timer_is_due_at_the_same_moment_whatever_its_writer_s_time_zone(
    mysql_table: Table,
) -> None:
    table = mysql_table
    for zone in ("+05:00", "-07:00"):
        writer = table.bare(init_command=f"SET time_zone = '{zone}'")
        for seconds in (-60, 600):
            writer.cursor().execute(
                "INSERT INTO queue (task, status, run_at)"
                f" VALUES ('t', 4, CURRENT_TIMESTAMP(6) + INTERVAL {seconds} SECOND)"
            )
    watcher = looking.Watcher(["default"])
    due_in = watcher.look(table.connection)["default"].due_in
    assert due_in is not None
    assert -1800 < due_in < -59
    assert looking.promote(table.connection, "default") == 2
    due_in = watcher.look(table.connection)["default"].due_in
    assert due_in is not None
    assert -1800 < due_in <= 600


def test_overdue_rows_are_said_to_be_due_in_the_past(table: Table) -> None:
    table.add(status=4)
    table.write("UPDATE queue SET run_at = {ago:age}", age=60)
    due_in = looking.Watcher(["default"]).look(table.connection)["default"].due_in
    assert due_in is not None
    assert -120 < due_in < -59


def test_due_rows_become_ready_and_others_wait_on(table: Table) -> None:
    due = table.add(3, status=4)
    ahead = table.add(2, status=4, run_at="2037-01-01 00:00:00.000")
    other = table.add(queue="mail", status=4)
    done = table.add(status=1)
    assert looking.promote(table.connection, "default") == 3
    assert looking.promote(table.connection, "default") == 0
    assert {table.state(id) for id in due} == {State.READY}
    assert {table.state(id) for id in ahead + other} == {State.SCHEDULED}
    assert table.state(done[0]) == State.DONE


def test_a_promotion_takes_a_thousand_at_most_the_most_overdue_first(table: Table) -> None:
    late = table.add(status=4)
    table.add(looking.PROMOTE_MOST, status=4)
    early = table.add(status=4, run_at="2020-01-01 00:00:00.000")
    table.write("UPDATE queue SET run_at = ctime WHERE id <> :id", id=early[0])
    table.write("UPDATE queue SET run_at = {now} WHERE id = :id", id=late[0])
    assert looking.promote(table.connection, "default") == looking.PROMOTE_MOST
    assert table.state(early[0]) == State.READY
    assert table.state(late[0]) == State.SCHEDULED
    assert looking.promote(table.connection, "default") == 2


def test_sqlite_tells_when_another_connection_has_written(sqlite_table: Table) -> None:
    watching = sqlite_table.connect()
    before = looking.changes(watching)
    assert before is not None
    assert looking.changes(watching) == before
    sqlite_table.add()
    assert looking.changes(watching) != before


def test_mysql_has_no_such_number(mysql_table: Table) -> None:
    assert looking.changes(mysql_table.connection) is None


def wait_for_no_lock_any_more(table: Table) -> None:
    """Whoever waits for one from now on is heard of: the connection gives up."""
    table.write("SET SESSION innodb_lock_wait_timeout = 1000")


def test_a_held_row_is_waited_for_once_and_then_passed_over(mysql_table: Table) -> None:
    table, promoter = mysql_table, Promoter()
    ids = table.add(ROWS, status=4)
    with table.held(ids[3]):
        assert promoter.promote(table.connection, "default", 100.0) == ROWS - 1
        wait_for_no_lock_any_more(table)
        for later in range(1, 4):
            table.add(ROWS, status=4)
            now = 100.0 + later * AROUND / 2
            assert promoter.promote(table.connection, "default", now) == ROWS
            assert promoter.promote(table.connection, "default", now) == 0, "still held"
    assert promoter.promote(table.connection, "default", 100.0 + 2 * AROUND) == 1


def test_without_a_held_row_nothing_is_passed_over(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(looking, "_promote_free")
    promoter = Promoter()
    table.add(ROWS, status=4)
    assert promoter.promote(table.connection, "default", 100.0) == ROWS
    assert promoter.promote(table.connection, "default", 100.0) == 0


def test_held_rows_are_waited_for_again_when_none_was_met_for_a_while(
    mysql_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, promoter = mysql_table, Promoter()
    (held,) = table.add(status=4)
    with table.held(held):
        assert promoter.promote(table.connection, "default", 100.0) == 0
    assert promoter.promote(table.connection, "default", 101.0) == 1
    monkeypatch.delattr(looking, "_promote_free")
    table.add(status=4)
    assert promoter.promote(table.connection, "default", 100.0 + AROUND) == 1


def test_a_deadlock_that_left_no_row_behind_is_not_remembered(
    mysql_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, promoter = mysql_table, Promoter()
    run = Connection.run
    refused: list[Statement] = []

    def run_but_once(self: Connection, statement: Statement, **params: object) -> int:
        if statement is looking._PROMOTE and not refused:
            refused.append(statement)
            raise StoreBusy("Deadlock found when trying to get lock (error 1213)")
        return run(self, statement, **params)

    monkeypatch.setattr(Connection, "run", run_but_once)
    table.add(ROWS, status=4)
    assert promoter.promote(table.connection, "default", 100.0) == ROWS
    monkeypatch.delattr(looking, "_promote_free")
    table.add(ROWS, status=4)
    assert promoter.promote(table.connection, "default", 100.0) == ROWS


def test_a_queue_of_another_has_no_part_in_it(table: Table) -> None:
    table.add(queue="mail", status=4)
    assert Promoter().promote(table.connection, "default", 0.0) == 0
