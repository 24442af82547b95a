"""Tables of an older version are brought to the newest with all that is in them."""

import hashlib
from typing import Any

import pytest
from alembic import command
from alembic.config import Config

from qsuper.store import ledger, migrations, schema
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, Database
from qsuper.store.ledger import Entry, Key, Shot

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
