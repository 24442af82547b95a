from typing import Any

import pytest

from qsuper.errors import StoreError
from qsuper.job import Job
from qsuper.states import State
from qsuper.store import acking, settling
from qsuper.store.acking import Report
from qsuper.store.backend import Statement
from tests.store.table import WORKER, Table

NODE = "node-a"


def fail(table: Table, job: Job, worker: str = WORKER, wait: float = 60.0, **more: Any) -> bool:
    more = {"error": "boom"} | more
    return acking.retry(table.connection, worker, job, Report(NODE, **more), wait=wait)


def attempts(table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return table.read(f"SELECT {', '.join(columns)} FROM attempts ORDER BY job_id, claims")


def test_completed_jobs_are_done(table: Table) -> None:
    ids = table.add(3)
    table.claim(most=2)
    assert acking.complete(table.connection, WORKER, ids[:2], 12) == 2
    assert [table.row(id, "status", "took_ms") for id in ids] == [(1, 12), (1, 12), (0, None)]
    assert acking.complete(table.connection, WORKER, ids[:2], 12) == 0, "and only once"
    assert attempts(table, "job_id") == [], "a success leaves no attempt's record"


def test_no_jobs_to_complete_is_no_error(table: Table) -> None:
    assert acking.complete(table.connection, WORKER, [], 1) == 0
    assert acking.still_to_ack(table.connection, WORKER, []) == []


def test_what_is_still_to_ack_is_what_the_worker_still_holds(table: Table) -> None:
    ids = table.add(3)
    table.claim(most=2)
    acking.complete(table.connection, WORKER, ids[:1], 1)
    assert acking.still_to_ack(table.connection, WORKER, ids) == ids[1:2]


def test_a_failed_job_waits_for_its_backoff_with_its_error_kept(table: Table) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    assert fail(table, job, traceback="line 1\nline 2", took_ms=7)
    columns = ("status", "attempt", "claims", "worker", "took_ms")
    assert table.row(job_id, *columns) == (State.SCHEDULED, 1, 1, None, 7)
    assert 30 < table.seconds_until(job_id) <= 60.1
    assert attempts(table, "job_id", "claims", "attempt", "worker", "node") == [
        (job_id, 1, 1, WORKER, NODE)
    ]
    assert attempts(table, "outcome", "error", "traceback") == [
        ("failed", "boom", "line 1\nline 2")
    ]
    assert table.read("SELECT COUNT(*) FROM attempts WHERE started_at <= ended_at") == [(1,)]


def test_a_retry_without_a_wait_is_ready_at_once(table: Table) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    assert fail(table, job, wait=0)
    assert table.state(job_id) == State.READY
    (again,) = table.claim()
    assert (again.attempt, again.claims) == (2, 2)


def test_every_failed_attempt_is_kept(table: Table) -> None:
    table.add()
    for turn in (1, 2, 3):
        (job,) = table.claim()
        fail(table, job, wait=0, error=f"boom {turn}")
    assert attempts(table, "claims", "attempt", "error") == [
        (1, 1, "boom 1"),
        (2, 2, "boom 2"),
        (3, 3, "boom 3"),
    ]


def test_a_wait_beyond_what_a_date_can_hold_is_cut_and_not_an_error(table: Table) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    assert fail(table, job, wait=1e12)
    assert table.seconds_until(job_id) > 10 * 365 * 86400


def test_a_buried_job_is_dead_and_says_why(table: Table) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    assert acking.bury(table.connection, WORKER, job, Report(NODE, "no hope", took_ms=3))
    assert table.row(job_id, "status", "attempt", "took_ms") == (State.DEAD, 1, 3)
    assert attempts(table, "outcome", "error") == [("dead", "no hope")]


@pytest.mark.parametrize(
    "text",
    ["\0 and \x1b", "lone \udcff surrogate", "🐘" * 20_000, "x" * 1_000_000],
    ids=["control bytes", "surrogate", "wide", "long"],
)
def test_any_error_text_can_be_kept(table: Table, text: str) -> None:
    table.add()
    (job,) = table.claim()
    assert fail(table, job, error=text, traceback=text)
    ((error, traceback),) = attempts(table, "error", "traceback")
    assert error[:3] == text[:3].replace("\0", "\\0")[:3]
    assert len(error.encode()) <= acking.ERROR_BYTES + 10
    assert len(traceback.encode()) <= acking.TRACEBACK_BYTES + 10


def test_a_job_of_an_unknown_task_is_put_off_uncounted(table: Table) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    assert acking.put_off(table.connection, WORKER, job, node=NODE, wait=30)
    assert table.row(job_id, "status", "attempt", "claims", "worker") == (4, 0, 1, None)
    assert 0 < table.seconds_until(job_id) <= 30.1
    first = table.row(job_id, "put_off_since")
    table.write("UPDATE queue SET status = 0, run_at = ctime")
    (job,) = table.claim()
    assert acking.put_off(table.connection, WORKER, job, node=NODE, wait=30)
    assert table.row(job_id, "put_off_since") == first, "the hour counts from the first time"


def test_a_job_that_nobody_has_known_for_an_hour_is_dead(table: Table) -> None:
    (job_id,) = table.add(task="no_such")
    (job,) = table.claim()
    table.write("UPDATE queue SET put_off_since = {ago:age}", age=3601)
    assert acking.put_off(table.connection, WORKER, job, node=NODE, wait=30)
    assert table.state(job_id) == State.DEAD
    assert "no worker has known the task 'no_such'" in attempts(table, "error")[0][0]


@pytest.mark.parametrize("end", ["retry", "requeue", "put_off"])
def test_a_job_to_be_cancelled_ends_cancelled_instead_of_waiting_again(
    table: Table, end: str
) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    table.write("UPDATE queue SET cancel = 1")
    if end == "put_off":
        assert acking.put_off(table.connection, WORKER, job, node=NODE, wait=1)
    else:
        assert fail(table, job, wait=1 if end == "retry" else 0)
    assert table.state(job_id) == State.CANCELLED


def test_what_a_worker_that_lost_its_claim_reports_late_is_refused(table: Table) -> None:
    (job_id,) = table.add()
    (job,) = table.claim("boot-1")
    settling.rescue(table.connection, "default", "boot", why="lost", node="b", max_attempts=9)
    table.claim("other-1")
    before = table.row(job_id, "status", "worker", "claims", "attempt", "mtime")
    told = attempts(table, "claims")
    assert acking.complete(table.connection, "boot-1", [job_id], 1) == 0
    assert not fail(table, job, "boot-1")
    assert not fail(table, job, "boot-1", wait=0)
    assert not acking.bury(table.connection, "boot-1", job, Report(NODE, "late"))
    assert not acking.put_off(table.connection, "boot-1", job, node=NODE, wait=1)
    assert table.row(job_id, "status", "worker", "claims", "attempt", "mtime") == before
    assert attempts(table, "claims") == told


def test_an_ack_for_an_older_claim_of_the_same_worker_is_refused(table: Table) -> None:
    """The fence is the number of the claim, for whoever acts for a worker that may live on."""
    table.add()
    (old,) = table.claim()
    fail(table, old, wait=0)
    table.claim()
    assert not fail(table, old)
    assert not acking.bury(table.connection, WORKER, old, Report(NODE, "late"))
    assert table.states() == {State.RUNNING: 1}


def test_rows_that_no_worker_could_run_are_buried_with_the_reason(table: Table) -> None:
    ready, running = table.add(2)
    table.write("UPDATE queue SET status = 2, worker = 'w' WHERE id = :id", id=running)
    assert acking.bury_unrun(table.connection, [(ready, 0), (running, 0)], "no date") == 1
    assert table.row(ready, "status", "attempt", "claims") == (State.DEAD, 0, 1)
    assert table.state(running) == State.RUNNING
    assert attempts(table, "job_id", "attempt", "outcome", "error") == [
        (ready, 0, "dead", "no date")
    ]


def test_the_move_and_its_record_are_one_transaction(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    monkeypatch.setattr(acking, "_RECORD", Statement("INSERT INTO nowhere VALUES (:id)"))
    with pytest.raises(StoreError, match="nowhere"):
        fail(table, job)
    assert table.row(job_id, "status", "worker") == (State.RUNNING, WORKER)


def test_a_record_left_by_a_job_of_the_same_number_is_no_obstacle(table: Table) -> None:
    """Somebody emptied the table, and its numbers began anew."""
    (job_id,) = table.add()
    (job,) = table.claim()
    table.write(
        "INSERT INTO attempts (job_id, claims, attempt, outcome) VALUES (:id, 1, 7, 'x')",
        id=job_id,
    )
    assert fail(table, job)
    assert table.state(job_id) == State.SCHEDULED
    (row,) = table.connection.rows(Statement("SELECT attempt, outcome FROM attempts"))
    assert tuple(row) == (1, "failed")


def test_a_row_that_was_moved_since_it_was_seen_is_left_alone(table: Table) -> None:
    (job_id,) = table.add(claims=3)
    assert acking.discard_unrun(table.connection, [(job_id, 2)], "too old") == 0
    assert acking.bury_unrun(table.connection, [(job_id, 2)], "no date") == 0
    assert table.state(job_id) is State.READY
    assert acking.discard_unrun(table.connection, [(job_id, 3)], "too old") == 1
