import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import psutil
import pymysql
import pytest

from qsuper.errors import OutcomeUnknown, QsuperError, StoreError, StoreUnavailable
from qsuper.store import claiming, releasing
from qsuper.store.backend import MYSQL, SQLITE, Statement, StoreBusy, StoreDeadlock
from qsuper.store.database import Database, Link
from tests.servers import MariaDB
from tests.store.table import WORKER, Table
from tests.wait import wait_for

ONE = Statement("SELECT 1")

BUSY = [1205, 1317]
DEADLOCK = [1020, 1213]
LOST = [0, 1047, 1053, 1180, 1290, 1927, 2006, 2013, 4031]
AWAY = [1040, 2002, 2003]
REFUSED = [1045, 1049, 1062, 1064, 1146, 1292, 1406, 3819, 4025]


@pytest.mark.parametrize(
    ("number", "kind"),
    [(number, StoreBusy) for number in BUSY]
    + [(number, StoreDeadlock) for number in DEADLOCK]
    + [(number, OutcomeUnknown) for number in LOST]
    + [(number, StoreUnavailable) for number in AWAY]
    + [(number, StoreError) for number in REFUSED],
)
def test_mysql_s_errors_are_told_apart_by_number(number: int, kind: type) -> None:
    told = MYSQL.translate(pymysql.err.OperationalError(number, "its own words"))
    assert type(told) is kind
    assert str(told) == f"its own words (error {number})"


def test_a_closed_mysql_connection_s_error_is_an_unknown_outcome() -> None:
    assert type(MYSQL.translate(pymysql.err.InterfaceError(0, ""))) is OutcomeUnknown


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusy),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusy),
        (sqlite3.SQLITE_LOCKED, StoreBusy),
        (sqlite3.SQLITE_CANTOPEN, StoreUnavailable),
        (sqlite3.SQLITE_IOERR_WRITE, StoreUnavailable),
        (sqlite3.SQLITE_FULL, StoreUnavailable),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, StoreError),
        (sqlite3.SQLITE_READONLY, StoreError),
        (sqlite3.SQLITE_CORRUPT, StoreError),
    ],
)
def test_sqlite_s_errors_are_told_apart_by_number(code: int, kind: type) -> None:
    error = sqlite3.OperationalError("its own words")
    error.sqlite_errorcode = code
    told = SQLITE.translate(error)
    assert type(told) is kind
    assert str(told) == "its own words"


@pytest.mark.parametrize("backend", [MYSQL, SQLITE])
def test_what_is_no_database_error_is_left_alone(backend: object) -> None:
    assert backend.translate(ValueError("no")) is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("url", ["", "nonsense", "postgresql://h/db", "sqlite://", "sqlite:///"])
def test_a_url_that_leads_nowhere_says_what_one_looks_like(url: str) -> None:
    with pytest.raises(QsuperError, match=r"^store\.url must "):
        Database(url)


def test_a_wrong_password_is_one_clear_line(mariadb: MariaDB) -> None:
    url = f"mysql+pymysql://nobody:secret@127.0.0.1:{mariadb.port}/x"
    with pytest.raises(
        StoreError, match=r"^Access denied for user 'nobody'.*\(error 1045\)$"
    ) as no:
        Database(url).connect()
    assert "secret" not in str(no.value)


def test_an_unknown_database_is_one_clear_line(mariadb: MariaDB) -> None:
    with pytest.raises(StoreError, match=r"^Unknown database 'no_such' \(error 1049\)$"):
        Database(mariadb.url("no_such")).connect()


def test_a_server_that_is_away_is_unavailable(own_mariadb: Callable[..., MariaDB]) -> None:
    server = own_mariadb()
    server.stop()
    with pytest.raises(StoreUnavailable, match=r"^Can't connect .* \(error 2003\)$") as away:
        Database(server.url()).connect()
    assert type(away.value) is StoreUnavailable


def test_a_link_lives_through_the_restart_of_its_server(
    own_mariadb: Callable[..., MariaDB],
) -> None:
    server = own_mariadb()
    link = Link(Database(server.url()))
    assert link.connection.rows(ONE) == [(1,)]
    server.kill()
    with pytest.raises(OutcomeUnknown):
        link.connection.rows(ONE)
    link.drop()
    with pytest.raises(StoreUnavailable):
        link.connection.rows(ONE)
    server.start()
    link.drop()
    assert link.connection.rows(ONE) == [(1,)]
    assert link.reconnects == 1
    link.drop()


def test_a_server_that_hangs_is_given_up_after_the_read_time_out(
    own_mariadb: Callable[..., MariaDB],
) -> None:
    server = own_mariadb()
    connection = Database(server.url(), read_timeout=0.2).connect()
    server.freeze()
    wait_for(lambda: psutil.Process(server.pid).status() == psutil.STATUS_STOPPED)
    with pytest.raises(OutcomeUnknown):
        connection.rows(ONE)
    server.thaw()
    connection.close()


def test_a_killed_connection_leaves_the_outcome_unknown(mysql_table: Table) -> None:
    mysql_table.add()
    victim = mysql_table.connect()
    ((id,),) = victim.rows(Statement("SELECT CONNECTION_ID()"))
    mysql_table.write(f"KILL {id}")
    with pytest.raises(OutcomeUnknown):
        claiming.claim(victim, queue="default", worker=WORKER)
    fresh = mysql_table.connect()
    releasing.release_strays(fresh, "default", WORKER)
    assert len(claiming.claim(fresh, queue="default", worker=WORKER).jobs) == 1


def test_a_killed_query_was_not_done_and_the_connection_serves_on(mysql_table: Table) -> None:
    victim = mysql_table.connect()
    ((id,),) = victim.rows(Statement("SELECT CONNECTION_ID()"))
    failed: list[Exception] = []

    def wait_long() -> None:
        try:
            victim.rows(Statement("SELECT 1 FROM queue WHERE SLEEP(30)"))
        except StoreError as error:
            failed.append(error)

    mysql_table.add()
    thread = Thread(target=wait_long)
    thread.start()
    running = f"SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id} AND info <> ''"
    wait_for(lambda: mysql_table.read(running) == [(1,)])
    mysql_table.write(f"KILL QUERY {id}")
    thread.join()
    assert [type(error) for error in failed] == [StoreBusy]
    assert victim.rows(ONE) == [(1,)]


def test_a_claim_cut_off_after_it_was_sent_is_found_and_freed(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = table.add(3)

    def cut(point: str) -> None:
        if point == "claim-sent":
            raise OutcomeUnknown

    monkeypatch.setattr(claiming, "failpoint", cut)
    with pytest.raises(OutcomeUnknown):
        table.claim(most=3)
    monkeypatch.undo()
    fresh = table.connect()
    assert releasing.release_strays(fresh, "default", WORKER) == 3
    assert [table.row(id, "status", "attempt") for id in ids] == [(0, 0)] * 3


def test_an_error_in_a_transaction_undoes_it_and_the_connection_serves_on(table: Table) -> None:
    def half() -> None:
        with table.connection.transaction():
            table.write("INSERT INTO queue (task) VALUES ('t')")
            table.write("INSERT INTO no_such VALUES (1)")

    with pytest.raises(StoreError):
        half()
    assert table.states() == {}
    table.add()


def test_a_sqlite_file_whose_folder_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        Database(f"sqlite:///{tmp_path}/file/sub/qsuper.db").connect()


def test_a_file_that_is_no_sqlite_database_is_a_clear_line(tmp_path: Path) -> None:
    (tmp_path / "qsuper.db").write_text("x" * 5000)
    with pytest.raises(StoreError, match=r"^file is not a database$"):
        Database(f"sqlite:///{tmp_path}/qsuper.db").connect()


def test_sqlite_held_by_another_writer_is_busy_and_serves_on(sqlite_table: Table) -> None:
    writer = sqlite_table.connect()
    sqlite_table.write("PRAGMA busy_timeout = 10")
    with writer.transaction():
        with pytest.raises(StoreBusy):
            sqlite_table.write("INSERT INTO queue (task) VALUES ('t')")
        with pytest.raises(StoreBusy), sqlite_table.connection.transaction():
            pass
    sqlite_table.add()
