import time
from typing import Any

import pytest
from sqlalchemy import event

from qsuper.errors import NoSuchJob
from qsuper.job import Job, NewJob
from qsuper.states import State
from qsuper.store import acking, enqueueing, listing
from qsuper.store.acking import Report
from tests.store.cost import double
from tests.store.table import WORKER, Table


def test_jobs_are_listed_the_newest_first_in_pages(table: Table) -> None:
    ids = table.add(5)
    page = listing.jobs(table.database, listing.Filter(most=2))
    assert [job["id"] for job in page] == [ids[4], ids[3]]
    page = listing.jobs(table.database, listing.Filter(most=2, before=ids[3]))
    assert [job["id"] for job in page] == [ids[2], ids[1]]


def test_jobs_are_filtered_by_state_queue_and_task(table: Table) -> None:
    (wanted,) = table.add(status=3, queue="mail", task="a")
    table.add(status=1, queue="mail", task="a")
    table.add(status=3, task="a")
    table.add(status=3, queue="mail", task="b")
    found = listing.jobs(table.database, listing.Filter(State.DEAD, "mail", "a"))
    assert [job["id"] for job in found] == [wanted]


def test_a_job_is_told_in_plain_values(table: Table) -> None:
    new = NewJob("send_msg", "{}", name="SN1 é", at=1_900_000_000.5)
    job_id = enqueueing.move(table.connection, new)
    job = listing.job(table.database, job_id)
    assert job["name"] == "SN1 é"
    assert job["state"] == "scheduled"
    assert job["run_at"] == pytest.approx(1_900_000_000.5, abs=0.001)
    assert job["started_at"] is None
    assert job["attempts"] == []
    assert (job["attempt"], job["priority"], job["param"]) == (0, 0, "{}")


def test_a_failed_job_is_told_with_its_attempts(table: Table) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    acking.retry(table.connection, WORKER, job, Report("a", "boom", "tb"), wait=0)
    (job,) = table.claim()
    acking.bury(table.connection, WORKER, job, Report("a", "dead now"))
    told = listing.job(table.database, job_id)["attempts"]
    assert [(past["attempt"], past["outcome"], past["error"]) for past in told] == [
        (1, "failed", "boom"),
        (2, "dead", "dead now"),
    ]
    assert told[0]["traceback"] == "tb"
    assert told[0]["ended_at"] >= told[0]["started_at"] > 1_600_000_000


def test_jobs_are_filtered_by_name_time_and_error(table: Table) -> None:
    named = enqueueing.move(table.connection, NewJob("t", name="SN1 é"))
    (dead,) = table.add()
    table.write("UPDATE queue SET status = 2, worker = :w", w=WORKER)
    job = Job(dead, "t", None, 1, None, None, 0)
    acking.bury(table.connection, WORKER, job, Report("a", "100% it's é"))
    table.write("UPDATE queue SET mtime = {ago:s} WHERE id = :id", s=7200.0, id=dead)

    def ids(**selected: Any) -> list[int]:
        return [row["id"] for row in listing.jobs(table.database, listing.Filter(**selected))]

    assert ids() == [dead, named]
    assert ids(name="SN1 é") == [named]
    assert ids(error="0% it's é") == [dead]
    assert ids(error="0% IT") == []
    hour_ago = time.time() - 3600
    assert (ids(since=hour_ago), ids(until=hour_ago)) == ([named], [dead])


def test_a_listed_job_comes_with_the_error_of_its_last_attempt(table: Table) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    acking.retry(table.connection, WORKER, job, Report("a", "first"), wait=0)
    (job,) = table.claim()
    acking.bury(table.connection, WORKER, job, Report("a", "x" * 10_000))
    table.add()
    rows = listing.jobs(table.database, listing.Filter())
    assert [row["error"] for row in rows] == [None, "x" * 500]
    assert [row["id"] for row in listing.some(table.database, [job_id, 99])] == [job_id]
    assert listing.some(table.database, []) == []


def test_a_job_that_is_not_there_is_said_so(table: Table) -> None:
    with pytest.raises(NoSuchJob, match="no job 99"):
        listing.job(table.database, 99)


def test_a_zero_date_is_told_as_none(mysql_table: Table) -> None:
    lax = mysql_table.bare(sql_mode="")
    with lax.cursor() as cursor:
        cursor.execute("INSERT INTO queue (task, run_at) VALUES ('t', '0000-00-00')")
    (job,) = listing.jobs(mysql_table.database, listing.Filter())
    assert job["run_at"] is None


def test_timers_are_listed_in_the_order_of_their_index(table: Table) -> None:
    """However many other rows there are: nothing of them is read, and nothing is sorted."""
    table.add(500, status=1)
    table.add(500, status=4)
    double(table, 3)
    for name in ("b", "a"):
        table.add(status=4, name=name, run_at=f"2030-01-01 00:00:0{int(name == 'b')}.000")
    said: list[tuple[str, Any]] = []
    engine = table.database.engine
    event.listen(engine, "before_cursor_execute", lambda *seen: said.append(seen[2:4]))
    found = listing.timers(table.database)
    assert [row["name"] for row in found] == ["a", "b"]
    ((sql, values),) = said
    cursor = table.bare().cursor()
    cursor.execute(f"EXPLAIN {'QUERY PLAN' if table.is_sqlite else ''} {sql}", values)
    ((*plan,),) = cursor.fetchall()
    assert "due" in (plan[3] if table.is_sqlite else plan[5])
    assert "filesort" not in str(plan)
