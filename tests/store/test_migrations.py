"""Tables of an older version are brought to the newest with all that is in them."""

import hashlib
from typing import Any

import pytest
from alembic import command
from alembic.config import Config

from qsuper.states import State
from qsuper.store import claiming, ledger, looking, migrations, schema
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, Database
from qsuper.store.ledger import Entry, Key, Shot
from tests.servers import MariaDB

NOW = 1_800_000_000_000
NAMES = [b"SN1:1", b"SN2:1", bytes(range(256))]
ADDED = ("kind", "fired", "fired_by")


def make(database: Database, version: str) -> None:
    """The tables as that version made them."""
    config = Config()
    config.set_main_option("script_location", str(migrations.__path__[0]))
    with database.engine.connect() as bound:
        config.attributes["connection"] = bound
        command.upgrade(config, version)
        bound.commit()


def fill(connection: Connection) -> None:
    """Three keys as the first version would have them, the last one over, and two jobs."""
    insert = Statement(
        "INSERT INTO watched_keys (db, name_hash, name, deadline, value, state)"
        " VALUES (15, :hash, :name, :deadline, :value, :state)"
    )
    for number, name in enumerate(NAMES):
        connection.run(
            insert,
            hash=hashlib.sha256(name).digest(),
            name=name,
            deadline=NOW + number,
            value=name,
            state=int(number == 2),
        )
    for task in ("one", "two"):
        connection.run(Statement("INSERT INTO queue (task) VALUES (:task)"), task=task)


def judge(database: Database) -> None:
    """All is there, the tables are new, and the ledger works."""
    connection = database.connect()
    schema.check(connection)
    found = ledger.read(connection, [Key(15, name) for name in NAMES])
    assert found == {
        Key(15, name): ledger.Row(
            Entry(Key(15, name), NOW + number, name, "string"), number != 2, None
        )
        for number, name in enumerate(NAMES)
    }
    assert count(connection, "queue") == 2
    with connection.transaction():
        assert ledger.fire(connection, Shot(Key(15, NAMES[0]), NOW, NOW), "somebody")
    connection.close()


def count(connection: Connection, table: str) -> Any:
    return connection.row(Statement(f"SELECT COUNT(*) FROM {table}"))[0]


def test_tables_of_the_first_version_keep_what_is_in_them(store_url: str) -> None:
    database = Database(store_url)
    make(database, "0001")
    connection = database.connect()
    fill(connection)
    connection.close()
    assert schema.upgrade(database) == ("0001", schema.VERSIONS[-1])
    judge(database)
    assert schema.upgrade(database) == (schema.VERSIONS[-1], schema.VERSIONS[-1])


@pytest.mark.parametrize("done", range(len(ADDED) + 1))
def test_an_upgrade_that_was_cut_off_goes_on_where_it_stopped(done: int, store_url: str) -> None:
    """A server commits each ALTER for itself: some columns are there, the version is the old."""
    database = Database(store_url)
    make(database, schema.VERSIONS[-1])
    connection = database.connect()
    fill(connection)
    for column in ADDED[done:]:
        connection.run(Statement(f"ALTER TABLE watched_keys DROP COLUMN {column}"))
    connection.run(Statement("UPDATE alembic_version SET version_num = '0001'"))
    connection.close()
    assert schema.upgrade(database) == ("0001", schema.VERSIONS[-1])
    judge(database)


def test_an_upgrade_and_a_first_start_make_the_same_tables(store_url: str) -> None:
    database = Database(store_url)
    make(database, "0001")
    schema.upgrade(database)
    connection = database.connect()
    insert = "INSERT INTO watched_keys (db, name_hash, name) VALUES (0, :name, :name)"
    connection.run(Statement(insert), name=b"x" * 32)
    found = connection.row(Statement("SELECT kind, fired, fired_by, state FROM watched_keys"))
    assert tuple(found) == ("string", None, None, 0)
    connection.close()


PAST, FUTURE = "2020-01-01 00:00:00.000", "2037-01-01 00:00:00.000"


def make_timers(database: Database) -> Connection:
    """Tables of the fourth version, and in them a row of each state, due and not."""
    make(database, "0004")
    connection = database.connect()
    insert = Statement("INSERT INTO queue (task, status, run_at) VALUES ('t', :status, :run_at)")
    for status in range(7):
        for run_at in (PAST, FUTURE):
            connection.run(insert, status=status, run_at=run_at)
    return connection


def test_timers_of_an_older_version_are_due_as_they_were(store_url: str) -> None:
    database = Database(store_url)
    connection = make_timers(database)
    assert schema.upgrade(database) == ("0004", schema.VERSIONS[-1])
    sight = looking.Watcher(["default"]).look(connection)["default"]
    assert (sight.ready, sight.overdue) == (2, True)
    assert looking.promote(connection, "default") == 1
    due_in = looking.Watcher(["default"]).look(connection)["default"].due_in
    assert due_in is not None
    assert due_in > 0
    connection.close()


def test_programs_of_the_fourth_version_find_what_is_due_in_the_fifth(store_url: str) -> None:
    """As during a deploy: by what they say, word for word."""
    database = Database(store_url)
    connection = make_timers(database)
    due = Statement(
        "SELECT id FROM queue WHERE queue = :queue AND status = 4 AND run_at <= {now}"
        " ORDER BY run_at LIMIT :most"
    )
    first = Statement(
        "SELECT {unix:MIN(run_at)} - {unix_now} FROM queue WHERE queue = :queue AND status = 4"
    )
    before = connection.rows(due, queue="default", most=1000)
    assert len(before) == 1
    schema.upgrade(database)
    assert connection.row(Statement("SELECT oldest FROM compatible"))[0] <= "0004"
    assert connection.rows(due, queue="default", most=1000) == before
    assert connection.row(first, queue="default")[0] < 0
    connection.close()


@pytest.mark.parametrize("version", ["0004", "0003", "0001"])
def test_tables_whose_version_was_not_written_down_are_not_changed_twice(
    version: str, store_url: str
) -> None:
    database = Database(store_url)
    connection = make_timers(database)
    schema.upgrade(database)
    connection.run(Statement(f"UPDATE alembic_version SET version_num = '{version}'"))
    assert schema.upgrade(database) == (version, schema.VERSIONS[-1])
    assert looking.promote(connection, "default") == 1
    connection.close()


@pytest.mark.parametrize("version", ["0001", "0004"])
def test_a_row_with_a_zero_date_stands_in_no_upgrade_s_way(version: str, mariadb: MariaDB) -> None:
    """A program that is not strict wrote it; whoever claims it buries it with the reason."""
    url = mariadb.create_database()
    database = Database(url)
    make(database, version)
    connection = database.connect()
    connection.run(Statement("SET SESSION sql_mode = ''"))
    connection.run(Statement("INSERT INTO queue (task, status, run_at) VALUES ('t', 4, 0)"))
    connection.run(Statement("INSERT INTO queue (task, run_at) VALUES ('t', 0)"))
    connection.close()
    assert schema.upgrade(database) == (version, schema.VERSIONS[-1])
    connection = database.connect()
    assert looking.promote(connection, "default") == 1
    assert claiming.claim(connection, queue="default", worker="boot-1", most=9).jobs == []
    rows = connection.rows(Statement("SELECT status FROM queue"))
    assert rows == [(State.DEAD,)] * 2
    connection.close()
    mariadb.drop(url)
