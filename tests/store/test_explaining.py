"""Why a job has not run, or why it died."""

import pytest

from qsuper.errors import NoSuchJob
from qsuper.job import NewJob
from qsuper.states import State
from qsuper.store import acking, cancelling, enqueueing, nodes, pausing
from qsuper.store.acking import Report
from qsuper.store.counting import CAP
from qsuper.store.explaining import Explanation, explain
from tests.store.table import WORKER, Table

BOOT = WORKER.partition("-")[0]


def live_node(table: Table, node: str = "n1", boot: str = BOOT, **workers: int) -> None:
    nodes.renew(
        table.connection,
        node=node,
        host=f"{node}.shop",
        boot=boot,
        lease=30.0,
        workers=workers or {"default": 4},
    )


@pytest.fixture
def alive(table: Table) -> Table:
    """A daemon is alive and works on the default queue."""
    live_node(table)
    return table


def told(table: Table, job_id: int) -> dict[str, str]:
    """Sentences by their kind."""
    found = explain(table.connection, job_id)
    assert found.sentences == [found.summary, *(reason.text for reason in found.reasons)]
    kinds = {reason.kind: reason.text for reason in found.reasons}
    assert len(kinds) == len(found.reasons), "each is said once"
    return kinds


def failed(table: Table, *, wait: float = 0.0, error: str = "ValueError: boom") -> int:
    """A job of five attempts whose first one failed."""
    (job_id,) = table.add(max_attempts=5)
    (job,) = table.claim()
    assert acking.retry(table.connection, WORKER, job, Report("n1", error), wait=wait)
    return job_id


def test_a_job_that_is_not_there_is_said_so(table: Table) -> None:
    with pytest.raises(NoSuchJob, match="no job 99"):
        explain(table.connection, 99)


def test_nothing_is_in_the_way_of_the_next_job(alive: Table) -> None:
    (job_id,) = alive.add()
    assert list(told(alive, job_id)) == ["next"]
    summary = explain(alive.connection, job_id).summary
    assert summary == f"job {job_id}, task send_msg of queue default, is ready"


@pytest.mark.parametrize("state", [State.READY, State.SCHEDULED, State.HELD])
def test_that_no_daemon_lives_is_said_of_all_that_waits(table: Table, state: State) -> None:
    (job_id,) = table.add(status=int(state))
    assert told(table, job_id)["no daemon"] == "no daemon is alive; start `qsuper run`"
    live_node(table)
    assert "no daemon" not in told(table, job_id)
    table.write("UPDATE nodes SET lease_until = {ago:s}, beat_at = {ago:s}", s=60.0)
    assert "(n1.shop was heard of 1m ago)" in told(table, job_id)["no daemon"]


@pytest.mark.parametrize("state", [State.READY, State.SCHEDULED, State.HELD])
def test_a_queue_without_workers_and_a_paused_one_are_said(alive: Table, state: State) -> None:
    (job_id,) = alive.add(status=int(state), queue="mail")
    found = told(alive, job_id)
    assert "no live node (n1.shop) has workers for queue mail" in found["no workers"]
    assert "paused" not in found
    live_node(alive, node="n2", boot="other", mail=1)
    pausing.set_paused(alive.connection, "mail", True)
    found = told(alive, job_id)
    assert "no workers" not in found
    assert "`qsuper resume mail`" in found["paused"]


def test_a_ready_job_is_told_how_many_come_before_it(alive: Table) -> None:
    alive.add(3, priority=-1)
    alive.add(2)
    (job_id,) = alive.add()
    alive.add(4)
    alive.add(5, queue="mail", priority=-5)
    alive.add(6, status=4, priority=-5)
    assert told(alive, job_id)["behind"].startswith("5 ready jobs are before it")
    alive.claim(most=4)
    found = told(alive, job_id)
    assert found["behind"].startswith("1 ready job is before it")
    assert found["busy"].startswith("4 jobs are with the workers")


def test_more_than_can_be_counted_is_said_so(alive: Table) -> None:
    job_id = alive.add(CAP + 2)[-1]
    assert told(alive, job_id)["behind"].startswith("more than 10,000 ready jobs are before it")


def test_a_ready_row_whose_time_is_ahead_is_said_so(alive: Table) -> None:
    (job_id,) = alive.add()
    alive.write("UPDATE queue SET run_at = {in:s}", s=3600.0)
    assert told(alive, job_id)["not due"].startswith("its time is 1h ahead")


def test_a_job_that_will_be_too_old_is_told_when(alive: Table) -> None:
    (job_id,) = alive.add(max_age=100.0)
    alive.write("UPDATE queue SET run_at = {ago:s}", s=40.0)
    assert told(alive, job_id)["max_age"] == "it is discarded if it has not begun within 1m"


def test_a_timer_is_told_when_it_is_due_and_what_does_not_wait(alive: Table) -> None:
    job_id = enqueueing.move(alive.connection, NewJob("t", name="SN1 é", delay=3600))
    found = told(alive, job_id)
    assert list(found) == ["not due"]
    assert found["not due"].startswith("it is due in 1h (20")
    assert f"`qsuper run-now {job_id}`" in found["not due"]
    assert "named 'SN1 é', is scheduled" in explain(alive.connection, job_id).summary


def test_an_overdue_job_is_said_to_wait_for_the_scheduler(table: Table) -> None:
    (job_id,) = table.add(status=4)
    table.write("UPDATE queue SET run_at = {ago:s}", s=60.0)
    found = told(table, job_id)
    assert found["overdue"].startswith("it has been due for 1m")
    assert "no daemon" in found


def test_a_backoff_is_told_with_its_error_and_the_next_attempt(alive: Table) -> None:
    job_id = failed(alive, wait=600, error="ValueError:\n  no such recipient")
    found = told(alive, job_id)
    assert list(found) == ["failed", "backoff"]
    assert "attempt 1 of 5 failed 0" in found["failed"]
    assert found["failed"].endswith("ago: ValueError: no such recipient")
    assert found["backoff"].startswith("the next attempt follows in 10m (20")


def test_an_unknown_task_is_said_with_what_becomes_of_it(alive: Table) -> None:
    (job_id,) = alive.add(task="resize")
    (job,) = alive.claim()
    assert acking.put_off(alive.connection, WORKER, job, node="n1", wait=60)
    alive.write("UPDATE queue SET put_off_since = {ago:s}", s=600.0)
    found = told(alive, job_id)
    assert (
        "knows the task resize: it has been put off for 10m, and dies in 50m"
        in (found["unknown task"])
    )
    assert "put off" in found


def test_a_snoozed_job_is_only_not_due(alive: Table) -> None:
    (job_id,) = alive.add()
    (job,) = alive.claim()
    acking.snooze(alive.connection, WORKER, job, wait=60)
    assert list(told(alive, job_id)) == ["not due"]


def test_a_held_job_is_told_who_has_the_slots_and_who_is_before_it(alive: Table) -> None:
    (first,) = alive.add(status=2)
    alive.write("UPDATE queue SET started_at = {ago:s}", s=200.0)
    (ended,) = alive.add(status=1)
    for slot, job in ((0, first), (1, None), (2, ended)):
        alive.write(
            "INSERT INTO limits (name, slot, job_id, claims) VALUES ('t:uid=4', :slot, :job, 0)",
            slot=slot,
            job=job,
        )
    alive.add(2, status=6, held_by="t:uid=4")
    alive.add(2, status=6, held_by="t:uid=5")
    (job_id,) = alive.add(status=6, held_by="t:uid=4")
    found = told(alive, job_id)
    assert found["limit"] == (
        f"it waits for its limit t:uid=4, which is taken by job {first} (for 3m 20s)"
    )
    assert found["behind"] == "2 held jobs are before it at this limit"
    alive.write("UPDATE limits SET job_id = NULL")
    assert "has room again" in told(alive, job_id)["limit"]


def test_a_job_that_waits_for_its_rate_is_told_when_the_next_start_is(alive: Table) -> None:
    (job_id,) = alive.add(status=6, held_by="rate:t")
    assert told(alive, job_id)["rate"] == "the task send_msg may start only so often"
    alive.write("INSERT INTO rates (name, free_at) VALUES ('rate:t', {unix_now} + 600)")
    assert told(alive, job_id)["rate"].endswith("; the next start is in 10m")


def test_a_running_job_is_told_where_how_far_and_what_ends_it(alive: Table) -> None:
    (job_id,) = alive.add(timeout=100.0, max_attempts=3)
    alive.claim()
    alive.write("UPDATE queue SET started_at = {ago:s}, progress = '40% resizing'", s=40.0)
    assert explain(alive.connection, job_id).summary.endswith("has been running for 40s")
    found = told(alive, job_id)
    assert list(found) == ["running", "progress", "timeout"]
    assert found["running"] == f"attempt 1 of 3 is with the worker {WORKER} on n1.shop"
    assert found["progress"] == "its progress: 40% resizing"
    assert "ends it in 1m at the latest" in found["timeout"]
    cancelling.cancel(alive.connection, job_id, running=True)
    assert "it is being ended" in told(alive, job_id)["ending"]


def test_a_running_job_of_a_lost_node_is_told_that_it_comes_back(alive: Table) -> None:
    (job_id,) = alive.add()
    alive.claim()
    alive.write("UPDATE nodes SET lease_until = {ago:s}, beat_at = {ago:s}", s=60.0)
    assert "has not been heard of for 1m" in told(alive, job_id)["lost"]
    alive.write("DELETE FROM nodes")
    assert "a node that is no more" in told(alive, job_id)["stray"]
    alive.write("UPDATE queue SET worker = NULL")
    assert "it has no worker" in told(alive, job_id)["stray"]


def test_a_dead_job_is_told_its_cause_of_death_and_what_to_do(table: Table) -> None:
    (job_id,) = table.add(max_attempts=1)
    (job,) = table.claim()
    acking.bury(table.connection, WORKER, job, Report("n1", "killed by SIGKILL"))
    found = told(table, job_id)
    assert found["died"] == "it died in attempt 1 of 1: killed by SIGKILL"
    assert f"`qsuper show {job_id}`" in found["record"]
    assert f"`qsuper retry {job_id}`" in found["retry"]
    (bare,) = table.add(status=3)
    assert "nothing was recorded" in told(table, bare)["died"]


def test_a_dead_job_whose_name_lives_on_is_told_its_twin(table: Table) -> None:
    old = enqueueing.move(table.connection, NewJob("t", name="SN1"))
    table.write("UPDATE queue SET status = 3")
    twin = enqueueing.move(table.connection, NewJob("t", name="SN1"))
    found = told(table, old)
    assert f"taken by job {twin}" in found["twin"]
    assert "retry" not in found


def test_each_kind_of_cancelled_job_is_told_apart(table: Table) -> None:
    taken_back, ended, discarded, old = table.add(4)
    cancelling.cancel(table.connection, taken_back)
    (job,) = table.claim()
    cancelling.cancel(table.connection, ended, running=True)
    acking.cancelled(table.connection, WORKER, job, Report("n1", "ended on request"))
    (job,) = table.claim()
    acking.discard(table.connection, WORKER, job, Report("n1", "the order is paid"))
    acking.discard_unrun(table.connection, [(old, 0)], "it has waited longer than its max_age")
    assert told(table, taken_back)["cancelled"] == "it was taken back before it ran"
    assert told(table, ended)["cancelled"] == "it was ended on request while it ran"
    assert told(table, discarded)["discarded"] == "it was discarded: the order is paid"
    assert "longer than its max_age" in told(table, old)["discarded"]


def test_a_done_job_is_told_how_long_it_took(table: Table) -> None:
    (job_id,) = table.add(status=1, attempt=2, took_ms=1500)
    assert told(table, job_id)["done"] == "attempt 2 succeeded after 1.5s"


@pytest.mark.parametrize("state", State)
def test_a_row_that_another_program_wrote_is_explained_all_the_same(
    table: Table, state: State
) -> None:
    """Whatever a bare SQL writer left out or put in."""
    (job_id,) = table.add(status=int(state), worker="nobody", held_by="", progress="", timeout=0)
    found: Explanation = explain(table.connection, job_id)
    assert found.state is state
    assert found.reasons
