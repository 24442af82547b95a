import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from qsuper.errors import JobIsEnding
from qsuper.job import NewJob
from qsuper.states import State
from qsuper.store import acking, enqueueing
from qsuper.store.acking import Report
from tests.store.table import WORKER, Table


def test_an_added_job_is_ready_and_carries_what_was_asked(table: Table) -> None:
    new = NewJob(
        "send_msg",
        "{}",
        "mail",
        priority=-5,
        max_attempts=3,
        timeout=1.5,
        headers={"trace": "a"},
    )
    job_id = enqueueing.insert(table.connection, new)
    columns = ("task", "param", "queue", "name", "priority", "max_attempts", "timeout", "status")
    assert table.row(job_id, *columns) == ("send_msg", "{}", "mail", None, -5, 3, 1.5, 0)
    assert table.row(job_id, "headers") == '{"trace": "a"}'
    assert type(job_id) is int


def test_a_delayed_job_is_scheduled_on_the_database_s_clock(table: Table) -> None:
    job_id = enqueueing.insert(table.connection, NewJob("t", delay=60))
    assert table.state(job_id) == State.SCHEDULED
    assert 30 < table.seconds_until(job_id) <= 60.1


def test_a_job_for_a_date_waits_for_it(table: Table) -> None:
    job_id = enqueueing.insert(table.connection, NewJob("t", at=1_900_000_000.25))
    assert table.state(job_id) == State.SCHEDULED
    ((unix,),) = table.read("SELECT {unix:run_at} FROM queue")
    assert float(unix) == pytest.approx(1_900_000_000.25, abs=0.001)


@pytest.mark.parametrize("new", [NewJob("t", delay=1e11), NewJob("t", at=1e13)])
def test_dates_later_than_the_column_holds_are_kept_at_the_latest(
    table: Table, new: NewJob
) -> None:
    job_id = enqueueing.insert(table.connection, new)
    assert table.state(job_id) == State.SCHEDULED
    assert table.seconds_until(job_id) > 10 * 365 * 86400


def test_a_date_before_all_dates_is_due_at_once(table: Table) -> None:
    job_id = enqueueing.insert(table.connection, NewJob("t", at=-5e9))
    assert table.seconds_until(job_id) < 0
    table.write("UPDATE queue SET status = 0")
    assert [job.id for job in table.claim()] == [job_id]


@pytest.mark.parametrize(
    ("when", "state", "due"),
    [
        (dict, State.READY, 0.0),
        (lambda: {"delay": 0}, State.READY, 0.0),
        (lambda: {"delay": 60}, State.SCHEDULED, 60.0),
        (lambda: {"at": time.time() + 100_000}, State.SCHEDULED, 100_000.0),
    ],
)
def test_many_jobs_of_one_kind_are_added_in_one_go(
    table: Table, when: Callable[[], dict[str, Any]], state: State, due: float
) -> None:
    job = NewJob("t", **when())
    params = [str(number) for number in range(1502)] + [None]
    with table.connection.transaction():
        assert enqueueing.insert_many(table.connection, job, iter(params)) == 1503
    assert table.states() == {state: 1503}
    rows = table.read("SELECT id, param FROM queue ORDER BY id")
    assert [param for _, param in rows] == params
    assert due - 30 < table.seconds_until(rows[0][0]) <= due + 0.1


def test_what_is_not_said_of_a_job_is_as_the_columns_have_it(table: Table) -> None:
    said = NewJob(
        "t", "{}", queue="mail", priority=-3, max_attempts=7, timeout=2.5, headers={"a": 1}
    )
    enqueueing.insert(table.connection, NewJob("t"))
    enqueueing.insert(table.connection, said)
    enqueueing.insert_many(table.connection, said, ["{}"])
    columns = "queue, param, priority, max_attempts, timeout, headers, name, group_id, max_age"
    plain, *others = table.read(f"SELECT {columns} FROM queue ORDER BY id")
    assert plain == ("default", None, 0, None, None, None, None, None, None)
    assert others == [("mail", "{}", -3, 7, 2.5, '{"a": 1}', None, None, None)] * 2


def test_keep_adds_a_job_once_and_then_answers_with_the_one_that_lives(table: Table) -> None:
    first = enqueueing.keep(table.connection, NewJob("t", "1", name="welcome:4"))
    assert enqueueing.keep(table.connection, NewJob("t", "2", name="welcome:4")) == first
    assert table.read("SELECT id, param, claims FROM queue") == [(first, "1", 0)]


@pytest.mark.parametrize("state", [State.DONE, State.DEAD, State.CANCELLED])
def test_a_finished_job_does_not_hold_its_name(table: Table, state: State) -> None:
    old = enqueueing.keep(table.connection, NewJob("t", name="n"))
    table.write("UPDATE queue SET status = :state", state=int(state))
    assert enqueueing.keep(table.connection, NewJob("t", name="n")) != old


def test_names_are_compared_by_bytes(table: Table) -> None:
    names = ["SN1", "sn1", "SN1 ", " SN1", "é", "e", "e\u0301", "🐘"]
    ids = [enqueueing.keep(table.connection, NewJob("t", name=name)) for name in names]
    assert len(set(ids)) == len(names)
    again = [enqueueing.move(table.connection, NewJob("t", name=name)) for name in names]
    assert again == ids


def test_setting_a_waiting_name_moves_it(table: Table) -> None:
    first = enqueueing.move(table.connection, NewJob("t", "1", name="order:SN1", delay=60))
    assert 30 < table.seconds_until(first) <= 60.1
    new = NewJob("u", "2", "mail", "order:SN1", -3, 1800, None, 7, 9.5)
    assert enqueueing.move(table.connection, new) == first
    assert 1700 < table.seconds_until(first) <= 1800.1
    columns = ("status", "task", "param", "queue", "priority", "max_attempts", "timeout")
    assert table.row(first, *columns) == (State.SCHEDULED, "u", "2", "mail", -3, 7, 9.5)
    assert enqueueing.move(table.connection, NewJob("t", "3", name="order:SN1")) == first
    assert table.row(first, "status", "queue", "param") == (State.READY, "default", "3")
    assert -30 < table.seconds_until(first) <= 0.1
    at = enqueueing.move(table.connection, NewJob("t", name="order:SN1", at=1_900_000_000))
    assert table.row(at, "status") == State.SCHEDULED
    assert table.read("SELECT COUNT(*) FROM queue") == [(1,)]


def test_a_moved_job_begins_its_attempts_anew(table: Table) -> None:
    job_id = enqueueing.move(table.connection, NewJob("t", name="n"))
    (job,) = table.claim()
    acking.retry(table.connection, WORKER, job, Report("a", "boom"), wait=60)
    table.write("UPDATE queue SET put_off_since = ctime")
    enqueueing.move(table.connection, NewJob("t", name="n"))
    assert table.row(job_id, "status", "attempt", "put_off_since") == (State.READY, 0, None)
    (job,) = table.claim()
    assert job.claims > 1, "but the fence never goes back"


def test_setting_the_name_of_a_running_job_makes_a_new_one(table: Table) -> None:
    running = enqueueing.move(table.connection, NewJob("t", "1", name="n"))
    (job,) = table.claim()
    new = enqueueing.move(table.connection, NewJob("t", "2", name="n", delay=60))
    assert new != running
    assert table.row(running, "status", "name", "param") == (State.RUNNING, None, "1")
    assert table.row(new, "status", "param") == (State.SCHEDULED, "2")
    assert acking.retry(table.connection, WORKER, job, Report("a", "boom"), wait=1)
    assert enqueueing.move(table.connection, NewJob("t", "3", name="n")) == new


def test_a_job_that_is_being_cancelled_keeps_its_name(table: Table) -> None:
    running = enqueueing.move(table.connection, NewJob("t", name="n"))
    table.claim()
    table.write("UPDATE queue SET cancel = 1")
    with pytest.raises(JobIsEnding), table.connection.transaction():
        enqueueing.move(table.connection, NewJob("t", name="n"))
    assert table.read("SELECT id, status, cancel FROM queue") == [(running, 2, 1)]
    assert enqueueing.keep(table.connection, NewJob("t", name="n")) == running


def test_an_enqueue_that_is_rolled_back_leaves_nothing(table: Table) -> None:
    def half() -> None:
        with table.connection.transaction():
            enqueueing.insert(table.connection, NewJob("t"))
            enqueueing.move(table.connection, NewJob("t", name="n"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert table.states() == {}


def test_two_transactions_that_set_the_same_name_do_not_deadlock(mysql_table: Table) -> None:
    """The second waits for the first, and then moves what it made."""
    first, second = mysql_table.connect(), mysql_table.connect()
    got: list[int] = []

    def set_it() -> None:
        with second.transaction():
            got.append(enqueueing.move(second, NewJob("t", "2", name="n", delay=60)))

    with first.transaction():
        job_id = enqueueing.move(first, NewJob("t", "1", name="n", delay=60))
        waiting = Thread(target=set_it)
        waiting.start()
        waiting.join(0.1)
        assert not got
    waiting.join()
    assert got == [job_id]
    assert mysql_table.row(job_id, "param") == "2"
