from concurrent.futures import ThreadPoolExecutor

import pytest

from qsuper.errors import SchemaError
from qsuper.states import State
from qsuper.store import acking, schema
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, Database
from tests.store.table import WORKER, Table

TABLES = {
    "alembic_version",
    "attempts",
    "compatible",
    "job_groups",
    "limits",
    "nodes",
    "queue",
    "queues",
    "rates",
    "schedule_runs",
    "schedules",
    "watched_keys",
}


def tables(connection: Connection) -> set[str]:
    sqlite = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    is_sqlite = connection.backend.name == "sqlite"
    rows = connection.rows(Statement(sqlite if is_sqlite else "SHOW TABLES"))
    return {row[0] for row in rows}


def test_an_empty_database_is_said_to_be_one_and_gets_its_tables(store_url: str) -> None:
    database = Database(store_url)
    connection = database.connect()
    assert schema.version(connection) is None
    with pytest.raises(SchemaError, match="no qsuper tables yet: run `qsuper db upgrade`"):
        schema.check(connection)
    assert schema.upgrade(database) == (None, schema.VERSIONS[-1])
    schema.check(connection)
    assert tables(connection) == TABLES
    connection.close()


def test_a_second_upgrade_finds_nothing_to_do(table: Table) -> None:
    table.add(3)
    assert schema.upgrade(table.database) == (schema.VERSIONS[-1], schema.VERSIONS[-1])
    assert len(table.read("SELECT id FROM queue")) == 3


def test_an_older_schema_is_said_to_need_an_upgrade(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = schema.VERSIONS[-1]
    monkeypatch.setattr(schema, "VERSIONS", (*schema.VERSIONS, "9000"))
    with pytest.raises(
        SchemaError, match=rf"are at version {found}, this qsuper wants 9000: run `qs"
    ):
        schema.check(table.connection)


def test_a_newer_schema_is_left_alone(table: Table) -> None:
    table.write("UPDATE alembic_version SET version_num = '9999'")
    table.write("UPDATE compatible SET oldest = '9998'")
    for look in (lambda: schema.check(table.connection), lambda: schema.upgrade(table.database)):
        with pytest.raises(SchemaError, match=r"version 9999, newer than this qsuper knows \(00"):
            look()


def test_a_newer_schema_that_still_serves_this_version_is_worked_on(table: Table) -> None:
    """As during a deploy, when the tables are upgraded first and the programs one by one."""
    table.write("UPDATE alembic_version SET version_num = '9999'")
    schema.check(table.connection)
    assert schema.upgrade(table.database) == ("9999", "9999")


def test_many_upgrades_at_once_make_the_tables_once(store_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        upgrades = [threads.submit(schema.upgrade, Database(store_url)) for _ in range(4)]
    assert {upgrade.result()[1] for upgrade in upgrades} == {schema.VERSIONS[-1]}
    connection = Database(store_url).connect()
    assert tables(connection) == TABLES
    assert len(connection.rows(Statement("SELECT version_num FROM alembic_version"))) == 1
    connection.close()


def test_what_is_not_ours_is_not_overwritten(store_url: str) -> None:
    """The programs that qsuper replaces have a table `queue`, too. Nothing is left beside it."""
    database = Database(store_url)
    connection = database.connect()
    connection.run(Statement("CREATE TABLE queue (id INTEGER PRIMARY KEY, taskphp VARCHAR(128))"))
    connection.run(Statement("INSERT INTO queue (id, taskphp) VALUES (1, 'send.php')"))
    what = {
        "mysql": "run `qsuper db adopt` to take it over",
        "sqlite": "rename it, or name another",
    }
    words = f"holds another program's `queue`: {what[connection.backend.name]}"
    for look in (lambda: schema.check(connection), lambda: schema.upgrade(database)):
        with pytest.raises(SchemaError, match=words) as caught:
            look()
        assert "\n" not in str(caught.value)
    assert tables(connection) == {"queue"}
    assert connection.rows(Statement("SELECT id, taskphp FROM queue")) == [(1, "send.php")]
    connection.close()


def test_any_other_table_that_is_not_ours_is_not_overwritten(store_url: str) -> None:
    database = Database(store_url)
    connection = database.connect()
    connection.run(Statement("CREATE TABLE nodes (id INTEGER PRIMARY KEY)"))
    with pytest.raises(SchemaError, match=r"already exists.*: the database holds tables that are"):
        schema.upgrade(database)
    connection.close()


def test_nothing_is_upgraded_in_the_midst_of_an_adoption(mysql_table: Table) -> None:
    mysql_table.write("UPDATE alembic_version SET version_num = '0001'")
    mysql_table.write("CREATE TABLE queue_adoption (one TINYINT)")
    for look in (
        lambda: schema.check(mysql_table.connection),
        lambda: schema.upgrade(mysql_table.database),
    ):
        with pytest.raises(SchemaError, match="adoption of an old queue was cut off: run `qsuper"):
            look()
    assert mysql_table.read("SELECT version_num FROM alembic_version") == [("0001",)]


def test_a_table_whose_name_resembles_that_of_an_adoption_is_none(mysql_table: Table) -> None:
    mysql_table.write("CREATE TABLE queueXadoption (one TINYINT)")
    schema.check(mysql_table.connection)


def test_sqlite_never_gives_an_id_twice(sqlite_table: Table) -> None:
    (last,) = sqlite_table.add()
    sqlite_table.write("DELETE FROM queue")
    sqlite_table.close()
    again = sqlite_table.connect()
    assert again.insert(Statement("INSERT INTO queue (task) VALUES ('t')")) > last


def test_sqlite_is_told_to_be_durable(sqlite_table: Table) -> None:
    assert sqlite_table.read("PRAGMA journal_mode") == [("wal",)]
    assert sqlite_table.read("PRAGMA synchronous") == [(2,)], "FULL"
    assert sqlite_table.read("PRAGMA busy_timeout") == [(5000,)]


def test_mysql_sessions_are_strict_short_and_in_utc(mysql_table: Table) -> None:
    ((zone, wait, mode),) = mysql_table.read(
        "SELECT @@time_zone, @@innodb_lock_wait_timeout, @@sql_mode"
    )
    assert (zone, wait) == ("+00:00", 1)
    assert "STRICT_TRANS_TABLES" in mode


def test_no_date_changes_by_itself(mysql_table: Table) -> None:
    """MySQL gives the first TIMESTAMP of a table an ON UPDATE, unless told otherwise."""
    assert (
        mysql_table.read(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND extra LIKE '%on update%'"
        )
        == []
    )


def test_the_index_of_what_is_due_stays_as_it_is_while_a_job_runs(table: Table) -> None:
    """It cost each job two more entries when it held the status."""
    if table.is_sqlite:
        ((sql,),) = table.read("SELECT sql FROM sqlite_master WHERE name = 'due'")
        assert sql == "CREATE INDEX due ON queue (queue, run_at) WHERE status = 4"
        return
    columns = [row[4] for row in table.read("SHOW INDEX FROM queue WHERE key_name = 'due'")]
    assert columns == ["queue", "scheduled", "run_at"]
    (job_id,) = table.add()
    before = table.row(job_id, *columns)
    (job,) = table.claim()
    assert table.row(job_id, *columns) == before
    assert acking.complete(table.connection, WORKER, [job.id], 1) == 1
    assert table.row(job_id, *columns) == before


def test_what_is_scheduled_is_written_by_the_server_alone(mysql_table: Table) -> None:
    table = mysql_table
    ids = [table.add(status=int(state))[0] for state in State]
    assert [table.row(id, "scheduled") for id in ids] == [
        int(state is State.SCHEDULED) for state in State
    ]
    for state in State:
        table.write("UPDATE queue SET status = :status", status=int(state))
        expected = int(state is State.SCHEDULED)
        assert table.read("SELECT DISTINCT scheduled FROM queue") == [(expected,)]
