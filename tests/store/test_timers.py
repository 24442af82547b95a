"""Timers by name: taken back, moved, asked for; in a transaction of their own or a caller's."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from qsuper import Queue
from qsuper.errors import JobIsEnding, ParamError
from qsuper.job import NewJob
from qsuper.states import FINISHED, State
from qsuper.store import acking, cancelling, enqueueing, listing, looking, timers
from qsuper.store.borrowing import borrow
from tests.servers import MariaDB
from tests.store.callers import Caller
from tests.store.table import WORKER, Table


@pytest.fixture
def queue(table: Table) -> Iterator[Queue]:
    queue = Queue(table.url)
    yield queue
    queue.close()


def set_timer(table: Table, name: str = "order:SN1", delay: float = 60.0) -> int:
    return enqueueing.move(table.connection, NewJob("t", "1", name=name, delay=delay))


def fire(table: Table) -> None:
    """The moment has come, and a worker takes it."""
    table.write("UPDATE queue SET run_at = {now} WHERE status = 4")
    looking.promote(table.connection, "default")
    assert len(table.claim()) == 1


@pytest.mark.parametrize("state", [State.READY, State.SCHEDULED, State.HELD])
def test_a_waiting_timer_is_taken_back_by_its_name(table: Table, state: State) -> None:
    job_id = set_timer(table)
    table.write("UPDATE queue SET status = :state", state=int(state))
    assert timers.cancel(table.connection, "order:SN1") is State.CANCELLED
    assert table.state(job_id) is State.CANCELLED
    assert timers.cancel(table.connection, "order:SN1") is None
    assert set_timer(table) != job_id


def test_a_timer_that_fires_already_is_let_run_and_that_is_said(table: Table) -> None:
    job_id = set_timer(table)
    fire(table)
    assert timers.cancel(table.connection, "order:SN1") is State.RUNNING
    assert table.row(job_id, "status", "cancel") == (State.RUNNING, 0)


@pytest.mark.parametrize("state", FINISHED)
def test_what_has_finished_has_no_timer_any_more(table: Table, state: State) -> None:
    job_id = set_timer(table)
    table.write("UPDATE queue SET status = :state", state=int(state))
    assert timers.cancel(table.connection, "order:SN1") is None
    assert timers.due_in(table.connection, "order:SN1") is None
    assert table.state(job_id) is state


@pytest.mark.parametrize("other", ["order:sn1", "order:SN1 ", "order:SN", "é"])
def test_names_are_compared_by_bytes(table: Table, other: str) -> None:
    job_id = set_timer(table)
    assert timers.cancel(table.connection, other) is None
    assert timers.due_in(table.connection, other) is None
    assert table.state(job_id) is State.SCHEDULED


@pytest.mark.parametrize("name", ["", "n" * 256, "\udcff", 4, None], ids=repr)
def test_what_cannot_be_a_name_is_refused(table: Table, queue: Queue, name: Any) -> None:
    refused = pytest.raises(ParamError, match="a job's name is 1 to 255 bytes of UTF-8")
    for ask in (queue.cancel, queue.remaining):
        with refused:
            ask(name)
    with refused:
        queue.timer(name, 60, "t")
    assert table.states() == {}


def test_what_remains_is_told_in_seconds_of_the_database_s_clock(table: Table) -> None:
    job_id = set_timer(table)
    remaining = timers.due_in(table.connection, "order:SN1")
    assert remaining is not None
    assert 30 < remaining <= 60.1
    assert remaining == pytest.approx(table.seconds_until(job_id), abs=20)
    table.write("UPDATE queue SET run_at = {ago:age}", age=5)
    assert timers.due_in(table.connection, "order:SN1") == 0.0
    fire(table)
    assert timers.due_in(table.connection, "order:SN1") is None


def test_what_waits_is_listed_by_time_over_all_queues(table: Table, queue: Queue) -> None:
    queue.timer("é 🐘", 90, "t")
    queue.timer("later", 120, "t", queue="mail")
    queue.timer("sooner", 60, "t", queue="mail")
    queue.timer("ready", 0, "t")
    queue.add("t", delay=30)
    found = listing.timers(table.database)
    assert [job["name"] for job in found] == ["sooner", "é 🐘", "later"]
    assert found[0]["run_at"] == pytest.approx(time.time() + 60, abs=30)
    assert len(listing.timers(table.database, unnamed=True)) == 4
    assert [job["name"] for job in listing.timers(table.database, most=1)] == ["sooner"]
    assert [job["name"] for job in listing.timers(table.database, queue="default")] == ["é 🐘"]


def test_armed_keys_are_listed_and_fired_ones_are_not(table: Table) -> None:
    for number, state in enumerate([0, 1, 0]):
        table.write(
            "INSERT INTO watched_keys (db, name_hash, name, deadline, value, state)"
            " VALUES (15, :hash, :key, :deadline, :value, :state)",
            hash=bytes([number]) * 32,
            key=b"SN\xff%d" % number,
            deadline=1_900_000_000_500 - number,
            value=b"x" * 5000,
            state=state,
        )
    keys = listing.watched(table.database)
    assert [key["key"] for key in keys] == [b"SN\xff2", b"SN\xff0"]
    assert keys[1]["deadline"] == pytest.approx(1_900_000_000.5)
    assert keys[0]["value"] == b"x" * 1000


def test_a_cancel_in_an_old_snapshot_tells_what_is_so_now(mysql_table: Table) -> None:
    set_timer(mysql_table)
    caller = mysql_table.bare(autocommit=False)
    with caller.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM queue")
    fire(mysql_table)
    assert timers.cancel(borrow(caller), "order:SN1") is State.RUNNING
    caller.rollback()


def test_a_cancel_is_the_callers_to_commit(table: Table, queue: Queue, caller: Caller) -> None:
    job_id = set_timer(table)
    assert queue.cancel("order:SN1", connection=caller.connection)
    assert queue.remaining("order:SN1", connection=caller.connection) is None
    assert table.state(job_id) is State.SCHEDULED, "nothing is seen before the commit"
    caller.rollback()
    assert table.state(job_id) is State.SCHEDULED
    assert queue.cancel("order:SN1", connection=caller.connection)
    assert not queue.cancel("order:SN1", connection=caller.connection)
    caller.commit()
    assert table.state(job_id) is State.CANCELLED


def test_a_timer_is_the_callers_to_commit(table: Table, queue: Queue, caller: Caller) -> None:
    own = caller.connection
    queue.timer("n", 60, "t", {"a": 1}, connection=own)
    remaining = queue.remaining("n", connection=own)
    assert remaining is not None
    assert 30 < remaining <= 60.1
    caller.rollback()
    assert table.states() == {}
    job = queue.timer("n", 60, "t", {"a": 1}, connection=own)
    caller.commit()
    assert queue.timer("n", 6000, "u", {"a": 2}, connection=own).id == job.id
    caller.rollback()
    assert table.row(job.id, "task", "param") == ("t", '{"a":1}')
    assert table.seconds_until(job.id) < 61
    queue.timer("n", 6000, "u", {"a": 2}, connection=own)
    caller.commit()
    assert table.row(job.id, "task", "param") == ("u", '{"a":2}')
    assert table.seconds_until(job.id) > 5000


def test_a_running_handler_sets_its_own_timer_anew(table: Table, queue: Queue) -> None:
    old = set_timer(table)
    fire(table)
    new = queue.timer("order:SN1", 60, "t")
    assert new.id != old
    assert table.row(old, "status", "name") == (State.RUNNING, None)
    assert new.state is State.SCHEDULED
    assert queue.timer("order:SN1", 90, "t").id == new.id, "the second time it is moved"


def test_a_handler_that_rolls_back_keeps_its_name(
    table: Table, queue: Queue, caller: Caller
) -> None:
    job_id = set_timer(table, "n")
    fire(table)
    queue.timer("n", 60, "t", connection=caller.connection)
    caller.rollback()
    assert table.row(job_id, "name") in ("n", b"n")
    assert table.states() == {State.RUNNING: 1}


def test_a_timer_whose_job_is_being_ended_cannot_be_set(table: Table, queue: Queue) -> None:
    job_id = set_timer(table)
    fire(table)
    table.write("UPDATE queue SET cancel = 1")
    with pytest.raises(JobIsEnding):
        queue.timer("order:SN1", 60, "t")
    assert table.read("SELECT id, status FROM queue") == [(job_id, State.RUNNING)]


def test_a_timer_that_failed_once_is_moved_with_a_fresh_set_of_attempts(
    table: Table, queue: Queue
) -> None:
    job_id = set_timer(table)
    fire(table)
    (job,) = table.read("SELECT claims FROM queue")
    table.write("UPDATE queue SET status = 4, attempt = 2")
    assert queue.timer("order:SN1", 60, "t").id == job_id
    assert table.row(job_id, "attempt", "status") == (0, State.SCHEDULED)
    assert table.row(job_id, "claims") > job[0], "a claim that looked before the move is refused"


def test_a_timer_that_waits_for_a_limit_is_moved(table: Table, queue: Queue) -> None:
    (job_id,) = table.add(name="order:SN1", status=int(State.HELD), held_by="mails")
    assert queue.timer("order:SN1", 60, "send_msg", {"uid": 5}).id == job_id
    assert table.row(job_id, "status", "held_by", "param") == (State.SCHEDULED, None, '{"uid":5}')


def test_a_cancel_between_promotion_and_claim_still_wins(table: Table, queue: Queue) -> None:
    job_id = set_timer(table)
    table.write("UPDATE queue SET run_at = {now}")
    assert looking.promote(table.connection, "default") == 1
    assert queue.cancel("order:SN1")
    assert table.claim() == []
    assert cancelling.revive(table.connection, job_id) is State.CANCELLED


def test_a_callers_clock_that_goes_through_an_hour_twice_moves_no_timer(
    own_mariadb: Callable[..., MariaDB], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the last Sunday of October, at half past two for the first time."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    table = Table(own_mariadb().create_database())
    caller = table.bare(autocommit=False)
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    with caller.cursor() as cursor:
        cursor.execute("SET timestamp = %s", [night])
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        assert cursor.fetchone() == (datetime(2026, 10, 25, 2, 30),)  # noqa: DTZ001
    queue = Queue(table.url)
    queue.timer("order:SN1", 60, "t", connection=caller)
    assert queue.remaining("order:SN1", connection=caller) == 60.0
    queue.add_many("many", [None], delay=60, connection=caller)
    caller.commit()
    due = table.read("SELECT {unix:run_at} FROM queue")
    assert {float(unix) for (unix,) in due} == {night + 60}
    table.close()
    queue.close()


@pytest.mark.parametrize(
    "when",
    [
        {"delay": 0},
        {"delay": -5},
        {"delay": timedelta(days=-1)},
        {"at": 0},
        {"at": -5e9},
        {"at": datetime(1969, 1, 1, tzinfo=UTC)},
        {"at": datetime(2020, 2, 29, tzinfo=UTC)},
    ],
    ids=repr,
)
def test_a_timer_in_the_past_fires_now(table: Table, queue: Queue, when: dict[str, Any]) -> None:
    job = queue.timer("order:SN1", task="t", **when)
    assert queue.remaining("order:SN1") == 0.0
    looking.promote(table.connection, "default")
    (claimed,) = table.claim()
    assert claimed.id == job.id
    assert acking.complete(table.connection, WORKER, [job.id], 1) == 1


@pytest.mark.parametrize(
    "when",
    [
        {},
        {"delay": 1, "at": 1},
        *({way: value} for way in ("delay", "at") for value in (math.nan, math.inf, -math.inf)),
        *({way: value} for way in ("delay", "at") for value in (True, "60", b"1", 10**400, [1])),
        {"at": datetime(2030, 1, 1)},  # noqa: DTZ001 - without a zone, as people write it
    ],
    ids=lambda when: repr(when)[:40],
)
def test_a_time_that_is_none_is_refused_and_nothing_written(
    table: Table, queue: Queue, when: dict[str, Any]
) -> None:
    with pytest.raises(ParamError) as refusal:
        queue.timer("order:SN1", task="t", **when)
    assert "\n" not in str(refusal.value)
    assert table.states() == {}


@pytest.mark.parametrize(
    "when",
    [
        {"at": 1e13},
        {"at": 10**300},
        {"delay": 1e12},
        {"delay": timedelta.max},
    ],
    ids=repr,
)
def test_a_time_beyond_the_last_date_is_kept_as_that_one_and_said(
    table: Table, queue: Queue, when: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    job = queue.timer("order:SN1", task="t", **when)
    assert job.state is State.SCHEDULED
    ((unix,),) = table.read("SELECT {unix:run_at} FROM queue")
    latest = table.database.backend.latest
    assert float(unix) == pytest.approx(latest, abs=3600)
    (said,) = caplog.records
    assert (said.name, said.levelno) == ("qsuper.client", logging.WARNING)
    date = datetime.fromtimestamp(latest, UTC).strftime("%Y-%m-%d")
    assert said.getMessage().startswith(f"the job 'order:SN1' will be due on {date} ")


def test_the_year_9999_is_kept_where_it_can_be_and_said_where_it_cannot(
    table: Table, queue: Queue, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    at = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    queue.timer("far", at=at, task="t", connection=caller.connection)
    caller.commit()
    ((unix,),) = table.read("SELECT {unix:run_at} FROM queue")
    assert float(unix) == pytest.approx(min(at.timestamp(), table.database.backend.latest), abs=2)
    assert len(caplog.records) == (0 if table.is_sqlite else 1)


def test_many_jobs_that_are_too_late_are_said_once(
    table: Table, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    queue.add_many("t", [None] * 3, at=time.time() + 1e12)
    queue.add_many("t", [None] * 3, delay=60)
    (said,) = caplog.records
    assert said.getMessage().startswith("3 jobs will be due on ")
