import pytest

from qsuper.errors import NoSuchJob
from qsuper.job import NewJob
from qsuper.states import State
from qsuper.store import acking, enqueueing
from qsuper.store.acking import Report
from qsuper.store.hurrying import hurry
from tests.store.table import WORKER, Table


def test_a_timer_runs_now_and_keeps_its_name(table: Table) -> None:
    job_id = enqueueing.move(table.connection, NewJob("t", name="SN1", delay=3600))
    claims = table.row(job_id, "claims")
    assert hurry(table.connection, job_id) == (State.READY, None)
    assert table.row(job_id, "claims") == claims + 1
    assert table.seconds_until(job_id) <= 0
    assert [job.id for job in table.claim()] == [job_id]


def test_a_backoff_is_cut_short_and_counts_on(table: Table) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    acking.retry(table.connection, WORKER, job, Report("a", "boom"), wait=3600)
    assert table.state(job_id) is State.SCHEDULED
    assert hurry(table.connection, job_id) == (State.READY, None)
    (job,) = table.claim()
    assert job.attempt == 2


@pytest.mark.parametrize("state", [state for state in State if state is not State.SCHEDULED])
def test_what_does_not_wait_for_its_time_stays_and_says_so(table: Table, state: State) -> None:
    held_by = "send:uid=4" if state is State.HELD else None
    (job_id,) = table.add(status=int(state), held_by=held_by)
    assert hurry(table.connection, job_id) == (state, held_by)
    assert table.row(job_id, "status", "claims") == (state, 0)


def test_a_job_that_is_not_there_is_said_so(table: Table) -> None:
    with pytest.raises(NoSuchJob, match="no job 99"):
        hurry(table.connection, 99)
