"""One INSERT from any program is a whole enqueue, or it is refused."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest

from qsuper.states import State
from tests.servers import MariaDB
from tests.store.table import Table

SHAPES = {
    "the least": "INSERT INTO queue (task) VALUES ('t')",
    "the usual": """INSERT INTO queue (task, param) VALUES ('t', '{"uid": 4}')""",
    "urgent": "INSERT INTO queue (task, param, priority) VALUES ('t', 'a', -10)",
    "queue": "INSERT INTO queue (task, param, queue) VALUES ('t', 'a', 'default')",
    "no param": "INSERT INTO queue (task, param) VALUES ('t', NULL)",
    "name": "INSERT INTO queue (task, name) VALUES ('t', 'order:SN1')",
    "status": "INSERT INTO queue (task, status) VALUES ('t', 0)",
    "limits": "INSERT INTO queue (task, max_attempts, timeout) VALUES ('t', 3, 1.5)",
    "a date": "INSERT INTO queue (task, run_at) VALUES ('t', '2026-01-02 03:04:05')",
    "a fine date": "INSERT INTO queue (task, run_at) VALUES ('t', '2026-01-02 03:04:05.678901')",
    "all others write": "INSERT INTO queue (task, param, queue, name, status, priority, run_at,"
    " max_attempts, timeout, headers) VALUES"
    " ('t', 'a', 'default', 'n', 0, 1, '2026-01-02 03:04:05', 5, 30, '{}')",
}
REFUSED = {
    "no task": "INSERT INTO queue (param) VALUES ('a')",
    "task NULL": "INSERT INTO queue (task) VALUES (NULL)",
    "a state too many": "INSERT INTO queue (task, status) VALUES ('t', 7)",
    "a state below all": "INSERT INTO queue (task, status) VALUES ('t', -1)",
    "a huge state": "INSERT INTO queue (task, status) VALUES ('t', 300)",
    "no state": "INSERT INTO queue (task, status) VALUES ('t', NULL)",
    "a huge priority": "INSERT INTO queue (task, priority) VALUES ('t', 1000000)",
    "a huge urgency": "INSERT INTO queue (task, priority) VALUES ('t', -1000000)",
    "a word for a priority": "INSERT INTO queue (task, priority) VALUES ('t', 'high')",
    "a word for a date": "INSERT INTO queue (task, run_at) VALUES ('t', 'tomorrow')",
    "no such date": "INSERT INTO queue (task, run_at) VALUES ('t', '2026-13-41 03:04:05')",
    "a queue's long name": f"INSERT INTO queue (task, queue) VALUES ('t', '{'q' * 65}')",
    "a task's long name": f"INSERT INTO queue (task) VALUES ('{'t' * 191}')",
    "a job's long name": f"INSERT INTO queue (task, name) VALUES ('t', '{'é' * 128}')",
    "a name that lives": "INSERT INTO queue (task, name) VALUES ('t', 'n'), ('t', 'n')",
}


def run(caller: Any, *statements: str) -> int:
    """Run them in a program's own connection and return the last row's id."""
    cursor = caller.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
    return int(cursor.lastrowid)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_insert_is_a_whole_enqueue(table: Table, shape: str) -> None:
    job_id = run(table.bare(), SHAPES[shape])
    (job,) = table.claim()
    assert (job.id, job.task, job.attempt) == (job_id, "t", 1)


@pytest.mark.parametrize("shape", REFUSED)
def test_what_makes_no_job_is_refused(table: Table, shape: str) -> None:
    with pytest.raises((pymysql.MySQLError, sqlite3.Error)):
        run(table.bare(), REFUSED[shape])
    assert table.states() == {}


def test_every_column_but_the_task_has_a_default(table: Table) -> None:
    if table.is_sqlite:
        pragma = table.read(
            "SELECT name FROM pragma_table_info('queue')"
            ' WHERE "notnull" AND dflt_value IS NULL AND NOT pk'
        )
        assert pragma == [("task",)]
    else:
        assert table.read(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
            " AND table_name = 'queue' AND is_nullable = 'NO' AND column_default IS NULL"
            " AND extra NOT LIKE '%auto_increment%'"
        ) == [("task",)]


def test_a_row_with_a_future_date_is_not_run_before_it(table: Table) -> None:
    job_id = run(
        table.bare(), "INSERT INTO queue (task, run_at) VALUES ('t', '2037-01-01 00:00:00')"
    )
    assert table.claim() == []
    assert table.state(job_id) == State.SCHEDULED


def test_a_row_for_a_queue_that_nobody_serves_just_waits(table: Table) -> None:
    job_id = run(table.bare(), "INSERT INTO queue (task, queue) VALUES ('t', 'nobody')")
    assert table.claim() == []
    assert table.state(job_id) == State.READY


def test_a_number_for_a_param_arrives_as_text(table: Table) -> None:
    run(table.bare(), "INSERT INTO queue (task, param) VALUES ('t', 4)")
    assert table.claim()[0].param == "4"


def test_names_of_bare_rows_are_compared_by_bytes(table: Table) -> None:
    caller = table.bare()
    for name in ("SN1", "sn1", "SN1 "):
        run(caller, f"INSERT INTO queue (task, name) VALUES ('t', '{name}')")
    assert table.states() == {State.READY: 3}


def test_a_task_s_name_keeps_its_case(table: Table) -> None:
    run(table.bare(), "INSERT INTO queue (task, queue) VALUES ('Send', 'Mail')")
    assert table.claim(queue="mail") == []
    assert [job.task for job in table.claim(queue="Mail")] == ["Send"]


@pytest.mark.parametrize("zone", ["+05:00", "-11:30", "+13:00"])
def test_dates_are_right_from_a_session_in_any_time_zone(mysql_table: Table, zone: str) -> None:
    caller = mysql_table.bare(init_command=f"SET time_zone = '{zone}'")
    now = run(caller, "INSERT INTO queue (task) VALUES ('t')")
    ahead = run(caller, "INSERT INTO queue (task, run_at) VALUES ('t', NOW() + INTERVAL 1 HOUR)")
    assert -30 < mysql_table.seconds_until(now) <= 0
    assert -30 < mysql_table.seconds_until(now, "ctime") <= 0
    assert 3500 < mysql_table.seconds_until(ahead) <= 3600
    assert [job.id for job in mysql_table.claim(most=2)] == [now]
    assert mysql_table.state(ahead) == State.SCHEDULED


@pytest.fixture
def summer_and_winter(
    own_mariadb: Callable[..., MariaDB], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Table]:
    """A server of a country where, in the last night of October, 02:30 comes twice."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    table = Table(own_mariadb().create_database())
    yield table
    table.close()


@pytest.mark.parametrize("now", [1_792_888_200, 1_792_891_800], ids=["first 02:30", "second 02:30"])
def test_the_hour_that_comes_twice_is_right(summer_and_winter: Table, now: int) -> None:
    caller = summer_and_winter.bare(init_command=f"SET timestamp = {now}")
    cursor = caller.cursor()
    cursor.execute("SELECT CAST(NOW() AS CHAR)")
    assert cursor.fetchall() == (("2026-10-25 02:30:00",),)
    run(caller, "INSERT INTO queue (task) VALUES ('t')")
    dates = "SELECT UNIX_TIMESTAMP(run_at), UNIX_TIMESTAMP(ctime) FROM queue"
    assert summer_and_winter.read(dates) == [(now, now)]


def test_a_latin1_client_s_text_arrives_whole(mysql_table: Table) -> None:
    run(mysql_table.bare(charset="latin1"), "INSERT INTO queue (task, param) VALUES ('é', 'café')")
    (job,) = mysql_table.claim()
    assert (job.task, job.param) == ("é", "café")


@pytest.mark.parametrize("mode", ["ANSI_QUOTES", "ANSI", "NO_BACKSLASH_ESCAPES", "ORACLE", ""])
def test_a_session_in_another_sql_mode_can_enqueue(mysql_table: Table, mode: str) -> None:
    quoted = '"queue" ("task", "param")' if "ANSI" in mode else "queue (task, param)"
    run(mysql_table.bare(sql_mode=mode), f"INSERT INTO {quoted} VALUES ('t', 'it''s')")
    assert mysql_table.claim()[0].param == "it's"


@pytest.mark.parametrize("shape", ["a state too many", "a state below all", "a huge state"])
def test_a_lax_session_cannot_write_a_state_that_is_none(mysql_table: Table, shape: str) -> None:
    with pytest.raises(pymysql.MySQLError):
        run(mysql_table.bare(sql_mode=""), REFUSED[shape])


@pytest.mark.parametrize(("asked", "kept"), [(1_000_000, 32767), (-1_000_000, -32768)])
def test_a_lax_session_s_priority_is_cut(mysql_table: Table, asked: int, kept: int) -> None:
    caller = mysql_table.bare(sql_mode="")
    job_id = run(caller, f"INSERT INTO queue (task, priority) VALUES ('t', {asked})")
    assert mysql_table.row(job_id, "priority") == kept
    assert len(mysql_table.claim()) == 1


@pytest.mark.parametrize("date", ["0000-00-00 00:00:00", "tomorrow", "9999-12-31 23:59:59"])
def test_a_lax_session_s_zero_date_is_buried_with_the_reason(mysql_table: Table, date: str) -> None:
    bad = run(
        mysql_table.bare(sql_mode=""), f"INSERT INTO queue (task, run_at) VALUES ('t', '{date}')"
    )
    (good,) = mysql_table.add()
    assert [job.id for job in mysql_table.claim(most=2)] == [good]
    assert mysql_table.state(bad) == State.DEAD
    ((error,),) = mysql_table.read("SELECT error FROM attempts WHERE job_id = :id", id=bad)
    assert error == "run_at is no date: set one and retry it"


def test_sixteen_megabytes_pass(own_mariadb: Callable[..., MariaDB], sqlite_table: Table) -> None:
    mysql_table = Table(own_mariadb(max_allowed_packet="64M").create_database())
    param = "é" * 8_000_000
    for table in (mysql_table, sqlite_table):
        table.add(param=param)
        (job,) = table.claim()
        assert job.param == param
    mysql_table.close()


def test_more_than_the_column_holds_is_refused_and_not_cut(
    own_mariadb: Callable[..., MariaDB],
) -> None:
    table = Table(own_mariadb(max_allowed_packet="64M").create_database())
    with pytest.raises(pymysql.MySQLError, match="too long"):
        run(table.bare(), f"INSERT INTO queue (task, param) VALUES ('t', '{'x' * 2**24}')")
    assert table.states() == {}
    table.close()


@pytest.mark.parametrize(
    ("value", "param"),
    [
        ("CAST(x'ff41' AS TEXT)", "\udcffA"),
        ("x'ff41'", b"\xffA"),
        ("x'7b7d'", b"{}"),
        ("4.5", "4.5"),
    ],
)
def test_sqlite_text_that_is_no_utf_8_does_not_stop_the_claim(
    sqlite_table: Table, value: str, param: str | bytes
) -> None:
    run(sqlite_table.bare(), f"INSERT INTO queue (task, param) VALUES ('t', {value})")
    assert sqlite_table.claim()[0].param == param


def test_mysql_refuses_text_that_is_no_utf_8(mysql_table: Table) -> None:
    with pytest.raises(pymysql.MySQLError, match="Incorrect string value"):
        run(mysql_table.bare(), "INSERT INTO queue (task, param) VALUES ('t', x'ff41')")


@pytest.mark.parametrize(
    "date",
    [
        "2037-01-01",
        "2037-01-01T00:00:00",
        "2037-01-01 00:00:00Z",
        "2037-01-01 00:00:00+05:00",
        "2037-01-01 00:00:00.5-05:00",
        "2037-99-99 99:99:99",
        "0000-00-00 00:00:00",
        "2114380800",
    ],
)
def test_sqlite_refuses_dates_that_it_could_not_compare(sqlite_table: Table, date: str) -> None:
    """They are texts there, in UTC: another shape would be run at another time, silently."""
    with pytest.raises(sqlite3.IntegrityError):
        run(sqlite_table.bare(), f"INSERT INTO queue (task, run_at) VALUES ('t', '{date}')")


def test_sqlite_takes_a_date_as_its_own_functions_write_it(sqlite_table: Table) -> None:
    caller = sqlite_table.bare()
    ahead = run(caller, "INSERT INTO queue (task, run_at) VALUES ('t', datetime('now', '1 hour'))")
    now = run(caller, "INSERT INTO queue (task, run_at) VALUES ('t', datetime('now'))")
    last = run(caller, "INSERT INTO queue (task, run_at) VALUES ('t', '9999-12-31 23:59:59')")
    assert [job.id for job in sqlite_table.claim(most=3)] == [now]
    assert sqlite_table.state(ahead) == sqlite_table.state(last) == State.SCHEDULED
