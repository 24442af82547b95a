"""Enqueueing on a caller's own connection: in its transaction, or not at all."""

from collections.abc import Callable

import pymysql.cursors
import pytest

from qsuper.errors import JobIsEnding, QsuperError
from qsuper.job import NewJob
from qsuper.states import State
from qsuper.store import cancelling, enqueueing
from qsuper.store.borrowing import borrow
from qsuper.store.enqueueing import Writer
from tests.servers import MariaDB
from tests.store.callers import Caller
from tests.store.table import Table

ENQUEUE: dict[str, Callable[[Writer], object]] = {
    "insert": lambda writer: enqueueing.insert(writer, NewJob("t", "{}")),
    "insert with a delay": lambda writer: enqueueing.insert(writer, NewJob("t", delay=60)),
    "insert for a date": lambda writer: enqueueing.insert(writer, NewJob("t", at=1.9e9)),
    "many": lambda writer: enqueueing.insert_many(writer, NewJob("t"), ["100%"]),
    "many with a delay": lambda writer: enqueueing.insert_many(
        writer, NewJob("t", delay=60), [None]
    ),
    "keep": lambda writer: enqueueing.keep(writer, NewJob("t", name="SN1")),
    "keep with a delay": lambda writer: enqueueing.keep(writer, NewJob("t", name="n", delay=9)),
    "move": lambda writer: enqueueing.move(writer, NewJob("t", "100%", name="SN1 %s é")),
    "move with a delay": lambda writer: enqueueing.move(writer, NewJob("t", name="n", delay=60)),
}


@pytest.mark.parametrize("way", ENQUEUE)
def test_a_rollback_leaves_nothing_and_a_commit_leaves_one(
    table: Table, caller: Caller, way: str
) -> None:
    ENQUEUE[way](caller.writer)
    assert table.states() == {}, "nothing is seen before the commit"
    caller.rollback()
    assert table.states() == {}
    answer = ENQUEUE[way](caller.writer)
    caller.commit()
    ((job_id, status, task),) = table.read("SELECT id, status, task FROM queue")
    assert (status, task) == (4 if "delay" in way or "date" in way else 0, "t")
    assert answer in ({1} if "many" in way else {job_id})


def test_a_named_job_is_moved_kept_and_taken_off_its_running_row(
    table: Table, caller: Caller
) -> None:
    first = enqueueing.move(caller.writer, NewJob("t", "1", name="n"))
    assert enqueueing.move(caller.writer, NewJob("t", "2", name="n")) == first
    assert enqueueing.keep(caller.writer, NewJob("t", "3", name="n")) == first
    caller.commit()
    (job,) = table.claim()
    assert job.param == "2"
    second = enqueueing.move(caller.writer, NewJob("t", "4", name="n"))
    assert second != first
    assert caller.ask("SELECT id FROM queue WHERE name = 'n'") == second
    assert cancelling.cancel(caller.writer, second) == State.CANCELLED
    assert cancelling.cancel(caller.writer, first) == State.RUNNING
    caller.rollback()
    assert table.row(first, "name") in ("n", b"n")
    table.write("UPDATE queue SET cancel = 1")
    with pytest.raises(JobIsEnding):
        enqueueing.move(caller.writer, NewJob("t", "5", name="n"))
    caller.rollback()


def test_a_connection_of_no_known_kind_is_refused_with_the_mend() -> None:
    with pytest.raises(QsuperError, match=r"^cannot enqueue on a builtins\.object: pass a SQLAlch"):
        borrow(object())


@pytest.mark.parametrize("zone", ["+05:00", "-11:30", "SYSTEM"])
def test_dates_are_written_in_utc_and_the_session_s_zone_is_left_as_it_was(
    mysql_table: Table, zone: str
) -> None:
    raw = mysql_table.bare(autocommit=False, init_command=f"SET time_zone = '{zone}'")
    enqueueing.insert(borrow(raw), NewJob("delay", delay=3600))
    enqueueing.insert(borrow(raw), NewJob("at", at=1_900_000_000))
    enqueueing.insert_many(borrow(raw), NewJob("many", delay=3600), [None])
    enqueueing.move(borrow(raw), NewJob("moved", name="n", delay=60))
    enqueueing.move(borrow(raw), NewJob("moved", name="n", delay=3600))
    with raw.cursor() as cursor:
        cursor.execute("SELECT @@SESSION.time_zone")
        assert cursor.fetchall() == ((zone,),)
    raw.commit()
    ids = [row[0] for row in mysql_table.read("SELECT id FROM queue WHERE task <> 'at'")]
    assert len(ids) == 3
    assert all(3500 < mysql_table.seconds_until(job_id) <= 3600 for job_id in ids)
    unix = mysql_table.read("SELECT UNIX_TIMESTAMP(run_at) FROM queue WHERE task = 'at'")
    assert unix == [(1_900_000_000,)]


def test_the_session_s_zone_is_left_as_it_was_after_an_error(mysql_table: Table) -> None:
    mysql_table.add(name="n", status=2, cancel=1)
    raw = mysql_table.bare(autocommit=False, init_command="SET time_zone = '+05:00'")
    with pytest.raises(JobIsEnding):
        enqueueing.move(borrow(raw), NewJob("t", name="n", delay=5))
    with pytest.raises(pymysql.MySQLError):
        enqueueing.insert(borrow(raw), NewJob("t", name="n", delay=5))
    with raw.cursor() as cursor:
        cursor.execute("SELECT @@SESSION.time_zone")
        assert cursor.fetchall() == (("+05:00",),)
    raw.rollback()


def test_the_hour_that_comes_twice_moves_no_date(
    own_mariadb: Callable[..., MariaDB], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the last night of October it is 02:30 twice: a date must not pass through local time."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    table = Table(own_mariadb().create_database())
    second = 1_792_891_800
    raw = table.bare(init_command=f"SET timestamp = {second}")
    moved = enqueueing.move(borrow(raw), NewJob("t", name="moved"))
    again = enqueueing.move(borrow(raw), NewJob("t", name="moved"))
    delayed = enqueueing.insert(borrow(raw), NewJob("t", delay=60))
    running = enqueueing.move(borrow(raw), NewJob("t", name="running", at=second))
    table.write("UPDATE queue SET status = 2, cancel = 1 WHERE id = :id", id=running)
    with pytest.raises(JobIsEnding):
        enqueueing.move(borrow(raw), NewJob("t", name="running"))
    dates = dict(table.read("SELECT id, UNIX_TIMESTAMP(run_at) FROM queue"))
    assert moved == again
    assert dates == {moved: second, delayed: second + 60, running: second}
    table.close()


def test_a_name_made_since_the_caller_s_snapshot_is_found_all_the_same(
    mysql_table: Table,
) -> None:
    raw = mysql_table.bare(autocommit=False)
    with raw.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM queue")
    kept = enqueueing.keep(mysql_table.connection, NewJob("t", name="kept"))
    moved = enqueueing.keep(mysql_table.connection, NewJob("t", name="moved"))
    assert enqueueing.keep(borrow(raw), NewJob("t", name="kept")) == kept
    assert enqueueing.move(borrow(raw), NewJob("t", name="moved")) == moved
    raw.commit()


@pytest.mark.parametrize("mode", ["ANSI", "NO_BACKSLASH_ESCAPES", ""])
def test_a_caller_may_have_another_sql_mode(mysql_table: Table, mode: str) -> None:
    raw = mysql_table.bare(sql_mode=mode)
    job_id = enqueueing.move(borrow(raw), NewJob("t", "a \"b\" \\ 'c'", name="n'\\", delay=0))
    assert mysql_table.row(job_id, "param", "name") == ("a \"b\" \\ 'c'", b"n'\\")
