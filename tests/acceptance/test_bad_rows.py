"""Rows of every kind that strangers write: right or refused, nothing lost, no worker killed."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pymysql
from sqlalchemy import make_url

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows

MIB = 1024 * 1024
GOOD = range(5000, 5100)


@dataclass(frozen=True)
class Row:
    """What a stranger writes, and what shall become of it."""

    sql: str
    """An INSERT; `{n}` is the row's number, which its run tells."""
    state: State | None
    """None: the database refuses it."""
    why: str = ""
    """A part of the error that the row keeps, or of the log where it keeps none."""
    runs: bool = False
    before: tuple[str, ...] = ()
    """Settings of the stranger's session."""


def insert(task: str, param: str = "NULL", **columns: str) -> str:
    names = ", ".join(["task", "param", *columns])
    return (
        f"INSERT INTO queue ({names}) VALUES ({', '.join([repr(task), param, *columns.values()])})"
    )


def urgent(**columns: str) -> str:
    return insert("urgent", """'{{"n": {n}}}'""", **columns)


LAX = ("SET sql_mode = ''",)
LATIN = ("SET NAMES latin1",)

BOTH: dict[str, Row] = {
    "an unknown task": Row(insert("nobody_knows"), State.SCHEDULED, "no task named 'nobody_knows'"),
    "no task": Row(insert(""), State.SCHEDULED, "no task named ''"),
    "a task of another case": Row(insert("URGENT"), State.SCHEDULED, "no task named 'URGENT'"),
    "an unparsable param": Row(insert("urgent", """'{{"n": '"""), State.DEAD, "is not JSON"),
    "a param nested too deeply": Row(
        insert("urgent", "'" + "[" * 100_000 + "'"), State.DEAD, "is not JSON"
    ),
    "NULL": Row(insert("urgent"), State.DEAD, "missing a required argument: 'n'"),
    "an argument too many": Row(
        insert("urgent", """'{{"n": 1, "x": 2}}'"""), State.DEAD, "unexpected keyword argument 'x'"
    ),
    "a status above all": Row(urgent(status="7"), None),
    "a status below all": Row(urgent(status="-1"), None),
    "a date beyond all": Row(urgent(run_at="'12345-01-01 00:00:00'"), None),
    "a word for a date": Row(urgent(run_at="'tomorrow'"), None),
    "the last priority": Row(urgent(priority="32767"), State.DONE, runs=True),
    "the first priority": Row(urgent(priority="-32768"), State.DONE, runs=True),
    "a huge priority": Row(urgent(priority="40000"), None),
    "a huge negative priority": Row(urgent(priority="-40000"), None),
    "an unknown queue": Row(urgent(queue="'nowhere'"), State.READY),
    "a negative time-out": Row(urgent(timeout="-1"), None),
    "an endless time-out": Row(urgent(timeout="1e300"), State.DONE, runs=True),
    "no attempts": Row(urgent(max_attempts="0"), None),
    "too many attempts": Row(urgent(attempt="2147483647"), None),
    "too many claims": Row(urgent(claims="2147483647"), None),
    "junk for headers": Row(urgent(headers="'{{broken'"), State.DONE, runs=True),
    "a name that is a reserved word": Row(urgent(name="'SELECT'"), State.DONE, runs=True),
    "a param of 16 MB": Row("16 MB", State.DONE, runs=True),
}
SQLITE: dict[str, Row] = {
    "wrong UTF-8": Row(insert("urgent", "CAST(x'7b22ff227d' AS TEXT)"), State.DEAD, "is not UTF-8"),
    "a BLOB that is no UTF-8": Row(insert("urgent", "x'ff00'"), State.DEAD, "is not UTF-8"),
    "a number for a param": Row(insert("urgent", "{n}"), State.DONE, runs=True),
    "a date far ahead": Row(urgent(run_at="'9999-12-31 23:59:59'"), State.SCHEDULED),
    "a date before all": Row(urgent(run_at="'0001-01-01 00:00:00'"), State.DEAD, "is no date"),
    "ready, but in an hour": Row(
        urgent(run_at="strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 hour')"), State.SCHEDULED
    ),
    "a date of another shape": Row(urgent(run_at="'2026-11-20T10:00:00Z'"), None),
}
MARIADB: dict[str, Row] = {
    "wrong UTF-8": Row(insert("urgent", "X'7b22ff227d'"), None),
    "wrong UTF-8 where anything goes": Row(
        insert("urgent", "X'7b22ff227d'"), State.DEAD, "is not JSON", before=LAX
    ),
    "a date far ahead": Row(urgent(run_at="'2037-12-31 23:59:59'"), State.SCHEDULED),
    "a date the column does not hold": Row(urgent(run_at="'2999-01-01'"), None),
    "that date where anything goes": Row(
        urgent(run_at="'2999-01-01'"), State.DEAD, "is no date", before=LAX
    ),
    "a zero date": Row(
        urgent(run_at="'0000-00-00 00:00:00'"), State.DEAD, "is no date", before=LAX
    ),
    "ready, but in an hour": Row(urgent(run_at="NOW(6) + INTERVAL 1 HOUR"), State.SCHEDULED),
    "a huge priority where anything goes": Row(
        urgent(priority="40000"), State.DONE, runs=True, before=LAX
    ),
    "now, written in Tokyo": Row(
        urgent(run_at="NOW()"), State.DONE, runs=True, before=("SET time_zone = '+09:00'",)
    ),
    "now, written in Hawaii": Row(
        urgent(run_at="NOW()"), State.DONE, runs=True, before=("SET time_zone = '-10:00'",)
    ),
    "in an hour, written in Hawaii": Row(
        urgent(run_at="NOW() + INTERVAL 1 HOUR"),
        State.SCHEDULED,
        before=("SET time_zone = '-10:00'",),
    ),
    "text of another collation": Row(
        urgent(queue="CONVERT('default' USING latin1) COLLATE latin1_german1_ci"),
        State.DONE,
        runs=True,
        before=LATIN,
    ),
    "a name of another case": Row(urgent(name="'select'"), State.DONE, runs=True, before=LATIN),
    "columns in backticks": Row(
        "INSERT INTO `queue` (`task`, `param`, `name`, `state`, `result`)"
        """ VALUES ('urgent', '{{"n": {n}}}', 'x', NULL, NULL)""",
        State.DONE,
        runs=True,
        before=LATIN,
    ),
}


def test_whatever_strangers_write_is_right_or_refused_and_stops_nobody(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    cases = BOTH | (SQLITE if rows.kind == "sqlite" else MARIADB)
    daemon.start()
    workers = {record.pid for record in daemon.workers()}
    ids = {name: write(rows, row, number) for number, (name, row) in enumerate(cases.items(), 1)}
    rows.add((n, "urgent", {"n": n}) for n in GOOD)
    waits = [name for name, row in cases.items() if row.state is not None]
    daemon.wait_until(
        lambda: (
            all(rows.job(ids[name] or 0)["status"] == cases[name].state for name in waits)
            and rows.run("SELECT COUNT(*) FROM queue WHERE id >= 5000 AND status <> 1") == [(0,)]
        ),
        "every row is what it should be",
    )

    assert {name for name, job_id in ids.items() if job_id is None} == set(cases) - set(waits)
    ran = {run.number for run in daemon.runs() if run.succeeded}
    number_of = {name: number for number, name in enumerate(cases, 1)}
    assert ran == {number_of[name] for name, row in cases.items() if row.runs} | set(GOOD)
    log = daemon.log()
    for name in waits:
        said = " ".join(error for _, _, error in rows.attempts(ids[name] or 0))
        assert cases[name].why in (said or log), name
    in_an_hour = ids.get("in an hour, written in Hawaii") or ids["ready, but in an hour"] or 0
    assert 3400 < seconds_until(rows, in_an_hour) < 3601

    assert {record.pid for record in daemon.workers()} == workers, "a worker was killed"
    daemon.wait_until(
        lambda: any("queue nowhere has 1 ready" in text for text in daemon.status()["degraded"]),
        "the unknown queue is visible",
    )
    (nowhere,) = (one for one in daemon.status()["queues"] if one["name"] == "nowhere")
    assert nowhere["states"]["ready"] == 1
    figures(rows=len(cases), refused=len(cases) - len(waits), workers_killed=0)


def write(rows: Rows, row: Row, number: int) -> int | None:
    """Write it as a stranger does and return its id; None when the database refuses."""
    with closing(stranger(rows)) as connection:
        cursor = connection.cursor()
        for statement in row.before:
            cursor.execute(statement)
        # A driver of its own words would take % for a parameter.
        sql = sixteen_megabytes(rows) if row.sql == "16 MB" else row.sql
        try:
            cursor.execute(sql.format(n=number))
        except (sqlite3.Error, pymysql.MySQLError) as error:
            print(f"refused: {error}")
            return None
        return int(cursor.lastrowid)


def sixteen_megabytes(rows: Rows) -> str:
    """The longest text that MariaDB's column holds: JSON with much space in it."""
    space = 16 * MIB - 1 - 32
    if rows.kind == "sqlite":
        return insert("urgent", "'{{\"n\": {n}' || " + f"printf('%{space}s', '') || '}}}}'")
    return insert("urgent", "CONCAT('{{\"n\": {n}', " + f"SPACE({space}), '}}}}')")


def stranger(rows: Rows) -> Any:
    """A connection as any program has one."""
    url = make_url(rows.url)
    if rows.kind == "sqlite":
        return sqlite3.connect(str(url.database), isolation_level=None, timeout=60)
    return pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=str(url.database),
        autocommit=True,
    )


def seconds_until(rows: Rows, job_id: int) -> float:
    distance = {
        "sqlite": "(julianday(run_at) - julianday('now')) * 86400.0",
        "mysql": "UNIX_TIMESTAMP(run_at) - UNIX_TIMESTAMP(NOW(6))",
    }[rows.kind]
    return float(rows.run(f"SELECT {distance} FROM queue WHERE id = :id", id=job_id)[0][0])
