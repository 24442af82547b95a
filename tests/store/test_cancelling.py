from typing import Any

import pytest

from qsuper.errors import JobIsEnding, LiveTwin, NoSuchJob
from qsuper.job import NewJob
from qsuper.states import FINISHED, State
from qsuper.store import acking, cancelling, enqueueing, timers
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


def test_a_running_job_is_marked_when_asked_for(table: Table) -> None:
    (job_id,) = table.add()
    table.claim()
    assert cancelling.cancel(table.connection, job_id) == State.RUNNING
    assert table.row(job_id, "cancel") == 0
    for _ in range(2):
        assert cancelling.cancel(table.connection, job_id, running=True) == State.RUNNING
        assert table.row(job_id, "status", "cancel") == (State.RUNNING, 1)


@pytest.mark.parametrize("state", [State.READY, State.SCHEDULED, State.HELD])
def test_a_waiting_job_is_taken_back_and_not_marked(table: Table, state: State) -> None:
    (job_id,) = table.add(status=int(state), held_by="x")
    assert cancelling.cancel(table.connection, job_id, running=True) == State.CANCELLED
    assert table.row(job_id, "status", "cancel", "held_by") == (State.CANCELLED, 0, None)


@pytest.mark.parametrize("state", FINISHED)
def test_what_has_ended_is_not_marked(table: Table, state: State) -> None:
    (job_id,) = table.add(status=int(state))
    assert cancelling.cancel(table.connection, job_id, running=True) == state
    assert table.row(job_id, "cancel") == 0


def test_a_running_job_is_marked_by_its_name_and_keeps_it(table: Table) -> None:
    job_id = enqueueing.move(table.connection, NewJob("t", name="é SN1"))
    table.claim()
    assert timers.live_id(table.connection, "é SN1") == job_id
    assert timers.cancel(table.connection, "é SN1") == State.RUNNING
    assert table.row(job_id, "cancel") == 0
    for _ in range(2):
        assert timers.cancel(table.connection, "é SN1", running=True) == State.RUNNING
    assert table.row(job_id, "cancel") == 1
    with pytest.raises(JobIsEnding):
        enqueueing.move(table.connection, NewJob("t", name="é SN1"))
    assert timers.cancel(table.connection, "other", running=True) is None
    assert timers.live_id(table.connection, "other") is None


@pytest.mark.parametrize("state", FINISHED)
def test_what_was_done_begins_anew_and_what_was_not_goes_on(table: Table, state: State) -> None:
    columns: dict[str, Any] = {
        "progress": "40%",
        "result": "1",
        "held_by": "x",
        "state": "s",
        "group_id": 5,
    }
    (job_id,) = table.add(status=int(state), **columns)
    cancelling.revive(table.connection, job_id)
    kept = (None, None) if state is State.DONE else ("s", 5)
    assert table.row(job_id, *columns) == (None, None, None, *kept)


def test_a_twin_is_another_live_job_of_the_same_name(table: Table) -> None:
    old = enqueueing.move(table.connection, NewJob("t", name="SN1"))
    cancelling.cancel(table.connection, old)
    assert cancelling.twin_of(table.connection, old) is None
    twin = enqueueing.move(table.connection, NewJob("t", name="SN1"))
    (nameless,) = table.add()
    assert cancelling.twin_of(table.connection, old) == twin
    assert cancelling.twin_of(table.connection, twin) is None
    assert cancelling.twin_of(table.connection, nameless) is None


def test_the_states_of_many_are_told_at_once(table: Table) -> None:
    first, second = table.add(2)
    cancelling.cancel(table.connection, second)
    found = cancelling.states_of(table.connection, [first, second, 99])
    assert found == {first: State.READY, second: State.CANCELLED}


def test_a_cancel_in_an_old_snapshot_tells_the_state_of_now(mysql_table: Table) -> None:
    (job_id,) = mysql_table.add()
    caller: Any = mysql_table.bare(autocommit=False)
    with caller.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM queue")
    mysql_table.claim()
    assert cancelling.cancel(borrow(caller), job_id) == State.RUNNING
    caller.rollback()
