"""A user's open transaction on one row delays that one only."""

from collections.abc import Callable

import pytest

from qsuper.states import State
from qsuper.store import acking, looking, releasing
from qsuper.store.backend import StoreBusy
from tests.store.table import WORKER, Table

ROWS = 100


def test_promoting(mysql_table: Table) -> None:
    ids = mysql_table.add(ROWS, status=4)
    with mysql_table.held(ids[40]):
        assert looking.promote(mysql_table.connection, "default") == ROWS - 1
        assert mysql_table.state(ids[40]) == State.SCHEDULED
        assert looking.promote(mysql_table.connection, "default") == 0
    assert looking.promote(mysql_table.connection, "default") == 1


@pytest.mark.parametrize("most", [1, 5, ROWS])
def test_claiming(mysql_table: Table, most: int) -> None:
    ids = mysql_table.add(ROWS)
    with mysql_table.held(ids[0]):
        jobs = mysql_table.claim(most=most)
        assert [job.id for job in jobs] == ids[1 : most + 1]
        assert [job.claims for job in jobs] == [1] * len(jobs)
        assert mysql_table.row(ids[0], "status", "claims") == (State.READY, 0)
    assert [job.id for job in mysql_table.claim()] == ids[:1]


def test_a_claim_of_rows_that_are_all_held_brings_nothing_and_breaks_nothing(
    mysql_table: Table,
) -> None:
    (job_id,) = mysql_table.add()
    with mysql_table.held(job_id):
        assert mysql_table.claim() == []
    assert len(mysql_table.claim()) == 1


def test_a_held_row_that_is_not_asked_for_is_not_waited_for(mysql_table: Table) -> None:
    first, *others = mysql_table.add(6)
    with mysql_table.held(others[-1]):
        mysql_table.write("SET SESSION innodb_lock_wait_timeout = 1000")
        assert [job.id for job in mysql_table.claim(most=3)] == [first, *others[:2]]


def test_completing(mysql_table: Table) -> None:
    ids = mysql_table.add(ROWS)
    mysql_table.claim(most=ROWS)
    connection = mysql_table.connection
    with mysql_table.held(ids[3]):
        assert acking.complete(connection, WORKER, ids, 1) == ROWS - 1
        assert acking.still_to_ack(connection, WORKER, ids) == ids[3:4]
        assert acking.complete(connection, WORKER, ids[3:4], 1) == 0
    assert acking.complete(connection, WORKER, ids[3:4], 1) == 1


def test_giving_back(mysql_table: Table) -> None:
    ids = mysql_table.add(ROWS)
    jobs = mysql_table.claim(most=ROWS)
    with mysql_table.held(ids[3]):
        assert releasing.release(mysql_table.connection, WORKER, jobs) == ROWS - 1
    assert releasing.release(mysql_table.connection, WORKER, jobs) == 1
    assert mysql_table.states() == {State.READY: ROWS}


def test_parking(mysql_table: Table) -> None:
    ids = mysql_table.add(ROWS, run_at="2037-01-01 00:00:00")
    (now,) = mysql_table.add()
    with mysql_table.held(ids[3]):
        assert [job.id for job in mysql_table.claim(most=ROWS)] == [now]
        counts = {State.SCHEDULED: ROWS - 1, State.READY: 1, State.RUNNING: 1}
        assert mysql_table.states() == counts


def test_no_transaction_is_left_open_by_a_lock_that_was_waited_for(mysql_table: Table) -> None:
    """1205 undoes the statement only: an open transaction would keep its locks."""
    ids = mysql_table.add(3, status=4)
    with mysql_table.held(ids[0]):
        looking.promote(mysql_table.connection, "default")
        mysql_table.claim(most=3)
    open_now = mysql_table.read(
        "SELECT COUNT(*) FROM information_schema.innodb_trx"
        " WHERE trx_mysql_thread_id = CONNECTION_ID()"
    )
    assert open_now == [(0,)]


@pytest.mark.parametrize(
    "write",
    [
        lambda table: looking.promote(table.connection, "default"),
        lambda table: table.claim(),
        lambda table: acking.complete(table.connection, WORKER, [1], 1),
    ],
    ids=["promote", "claim", "complete"],
)
def test_on_sqlite_a_lock_is_on_the_file_and_is_said(
    sqlite_table: Table, write: Callable[[Table], object]
) -> None:
    sqlite_table.add(status=4)
    sqlite_table.add()
    sqlite_table.write("PRAGMA busy_timeout = 10")
    with sqlite_table.connect().transaction(), pytest.raises(StoreBusy):
        write(sqlite_table)
