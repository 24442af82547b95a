from typing import Any

import pytest

from qsuper.errors import LiveTwin, NoSuchJob
from qsuper.job import NewJob
from qsuper.states import FINISHED, State
from qsuper.store import acking, cancelling, enqueueing
from qsuper.store.acking import Report
from qsuper.store.borrowing import borrow
from tests.store.table import WORKER, Table


@pytest.mark.parametrize("state", [State.READY, State.SCHEDULED, State.HELD])
def test_a_waiting_job_can_be_taken_back(table: Table, state: State) -> None:
    (job_id,) = table.add(status=int(state))
    assert cancelling.cancel(table.connection, job_id) == State.CANCELLED
    assert table.state(job_id) == State.CANCELLED


@pytest.mark.parametrize("state", [State.RUNNING, State.DONE, State.DEAD])
def test_a_job_that_no_longer_waits_stays_and_says_so(table: Table, state: State) -> None:
    (job_id,) = table.add(status=int(state))
    assert cancelling.cancel(table.connection, job_id) == state
    assert table.state(job_id) == state


def test_a_job_that_is_not_there_is_said_so(table: Table) -> None:
    with pytest.raises(NoSuchJob, match="no job 99"):
        cancelling.cancel(table.connection, 99)
    with pytest.raises(NoSuchJob, match="no job 99"):
        cancelling.revive(table.connection, 99)


def test_cancelling_and_claiming_one_row_has_one_winner(table: Table) -> None:
    (job_id,) = table.add()
    assert cancelling.cancel(table.connection, job_id) == State.CANCELLED
    assert table.claim() == []
    (job_id,) = table.add()
    table.claim()
    assert cancelling.cancel(table.connection, job_id) == State.RUNNING


@pytest.mark.parametrize("state", FINISHED)
def test_a_finished_job_gets_a_fresh_set_of_attempts(table: Table, state: State) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    acking.bury(table.connection, WORKER, job, Report("a", "boom"))
    table.write("UPDATE queue SET status = :state, cancel = 1", state=int(state))
    assert cancelling.revive(table.connection, job_id) == state
    columns = ("status", "attempt", "cancel", "worker", "took_ms", "put_off_since")
    assert table.row(job_id, *columns) == (State.READY, 0, 0, None, None, None)
    (again,) = table.claim()
    assert (again.attempt, again.claims) == (1, table.row(job_id, "claims"))
    assert again.claims > job.claims
    assert acking.bury(table.connection, WORKER, again, Report("a", "again"))
    assert table.read("SELECT COUNT(*) FROM attempts") == [(2,)], "the old one is kept"


@pytest.mark.parametrize("state", [State.READY, State.RUNNING, State.SCHEDULED])
def test_a_live_job_is_not_revived(table: Table, state: State) -> None:
    (job_id,) = table.add(status=int(state), attempt=2)
    assert cancelling.revive(table.connection, job_id) == state
    assert table.row(job_id, "status", "attempt") == (state, 2)


@pytest.mark.parametrize("name", ["order:SN1", "é 🐘"])
def test_a_job_whose_name_lives_on_in_another_is_not_revived(table: Table, name: str) -> None:
    old = enqueueing.move(table.connection, NewJob("t", name=name))
    cancelling.cancel(table.connection, old)
    twin = enqueueing.move(table.connection, NewJob("t", name=name))
    with pytest.raises(LiveTwin, match=f"job {old} has a live twin of the same name, job {twin}"):
        cancelling.revive(table.connection, old)
    assert table.state(old) == State.CANCELLED
    cancelling.cancel(table.connection, twin)
    assert cancelling.revive(table.connection, old) == State.CANCELLED
    with pytest.raises(LiveTwin):
        cancelling.revive(table.connection, twin)


def test_a_cancel_in_an_old_snapshot_tells_the_state_of_now(mysql_table: Table) -> None:
    (job_id,) = mysql_table.add()
    caller: Any = mysql_table.bare(autocommit=False)
    with caller.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM queue")
    mysql_table.claim()
    assert cancelling.cancel(borrow(caller), job_id) == State.RUNNING
    caller.rollback()
