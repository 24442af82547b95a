"""What `qsuper doctor` finds in a database: on servers that are set so, and on one that is not."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from qsuper.cli.doctor import clocks, database, disks, mysql, sqlite
from qsuper.cli.doctor.finding import Finding, Level
from qsuper.cli.doctor.need import Need
from qsuper.store import schema
from qsuper.store.backend import Statement
from qsuper.store.database import Database
from qsuper.store.examining import file, plans, rights
from qsuper.store.examining.server import Server, look
from tests.servers import MariaDB
from tests.servers.shifted import ShiftedMariaDB
from tests.unit.doctor import Examined, examined

HEALTHY: dict[str, object] = {
    "character_set_server": "utf8mb4",
    "log_bin": "binlog",
    "max_allowed_packet": 64 * 1024**2,
    "server_id": 1,
    "sync_binlog": 1,
}
SICK: list[tuple[dict[str, object], str, str, str]] = [
    ({"auto_increment_increment": 3}, "ids go up by 3", "note", "no divisor in common with 3"),
    (
        {"innodb_flush_log_at_trx_commit": 2},
        "innodb_flush_log_at_trx_commit is 2",
        "warn",
        "innodb_flush_log_at_trx_commit = 1",
    ),
    ({"sync_binlog": 0}, "sync_binlog is 0", "warn", "sync_binlog = 1"),
    ({"binlog_format": "STATEMENT"}, "binlog_format is STATEMENT", "bad", "MIXED or ROW"),
    ({"max_connections": 10}, "max_connections is 10", "warn", "set max_connections to"),
    ({"max_user_connections": 5}, "this account may have 5", "bad", "MAX_USER_CONNECTIONS"),
    ({"sql_mode": ""}, "sql_mode is not strict", "note", "STRICT_TRANS_TABLES"),
    ({"character_set_server": "latin1"}, "character_set_server is latin1", "note", "utf8mb4"),
    ({"max_allowed_packet": 1024**2}, "max_allowed_packet is", "warn", "job.max_param_bytes"),
    ({"read_only": 1}, "the server is read_only", "bad", "name the primary"),
]
"""Options, what is said then, how bad it is, and what of the mend."""


@pytest.fixture
def healthy(own_mariadb: Callable[..., MariaDB]) -> MariaDB:
    return own_mariadb(**HEALTHY)


@pytest.fixture
def server(mariadb: MariaDB) -> Server:
    """The shared one, as it was seen."""
    url = mariadb.create_database()
    connection = Database(url).connect()
    seen = look(connection)
    connection.close()
    mariadb.drop(url)
    return replace(seen, settings={**seen.settings, "character_set_server": "utf8mb4"})


@pytest.fixture
def made(store_url: str) -> str:
    """A database with the tables."""
    schema.upgrade(Database(store_url))
    return store_url


def with_tables(server: MariaDB) -> str:
    url = server.create_database()
    schema.upgrade(Database(url))
    return url


def run(url: str, *statements: str) -> None:
    connection = Database(url).connect()
    for statement in statements:
        connection.run(Statement(statement))
    connection.close()


def of(url: str, folder: Path) -> Examined:
    return examined(folder, url)


def says(findings: Iterator[Finding]) -> list[tuple[Level, str]]:
    return [(one.level, one.says) for one in findings]


def test_a_healthy_server_has_no_finding(healthy: MariaDB, tmp_path: Path) -> None:
    found = of(with_tables(healthy), tmp_path)
    assert not found.wrong("database", "clocks")
    for _, words, _, _ in SICK:
        assert found.level(words) in (None, "ok"), words
    assert found.level("MariaDB 1") == "ok"
    assert found.level("connections have READ COMMITTED") == "ok"
    assert found.level("every commit is on disk") == "ok"
    assert found.level("the history list is") == "ok"
    assert found.level("InnoDB, utf8mb4") == "ok"
    assert found.level("this account may read and write all tables") == "ok"
    assert found.level("the claim uses index claim") == "ok"
    assert found.level("the claim of a slice uses index claim") == "ok"
    assert found.level("the look for what is due uses index due") == "ok"


@pytest.mark.parametrize(("options", "words", "level", "mend"), SICK)
def test_a_setting_that_hurts_is_said_with_its_mend(
    own_mariadb: Callable[..., MariaDB],
    tmp_path: Path,
    options: dict[str, object],
    words: str,
    level: str,
    mend: str,
) -> None:
    server = own_mariadb(**HEALTHY)
    url = with_tables(server)
    server.options = HEALTHY | options
    server.restart()
    found = of(url, tmp_path)
    assert found.level(words) == level
    assert mend in found.mend(words)


def test_more_workers_than_connections_are_bad(
    own_mariadb: Callable[..., MariaDB], tmp_path: Path
) -> None:
    server = own_mariadb(max_connections=20)
    (tmp_path / "qsuper.toml").write_text("[queues.default]\nworkers = 30\n")
    assert of(with_tables(server), tmp_path).level("max_connections is 20") == "bad"


def test_the_workers_of_other_nodes_count(mariadb: MariaDB, tmp_path: Path) -> None:
    url = with_tables(mariadb)
    enter = (
        "INSERT INTO nodes (id, host, boot, lease_until, workers) VALUES"
        " ('n', 'h', 'b', CURRENT_TIMESTAMP(6) + INTERVAL 1 HOUR, '{\"default\": 400}')"
    )
    run(url, enter)
    assert of(url, tmp_path).level("max_connections is 300") == "bad"
    run(url, "UPDATE nodes SET lease_until = CURRENT_TIMESTAMP(6) - INTERVAL 1 HOUR")
    assert of(url, tmp_path).level("max_connections is 300") == "ok"
    mariadb.drop(url)


def test_a_database_that_is_away_is_a_finding(tmp_path: Path) -> None:
    found = of("mysql+pymysql://root@127.0.0.1:1/shop", tmp_path)
    assert found.code == 1
    (said,) = found.wrong("database")
    assert said.startswith("mysql+pymysql://root@127.0.0.1:1/shop: ")


def test_a_database_that_is_frozen_is_a_finding(healthy: MariaDB, tmp_path: Path) -> None:
    url = with_tables(healthy)
    healthy.freeze()
    try:
        (said,) = of(url, tmp_path).wrong("database")
    finally:
        healthy.thaw()
    assert "error 2013" in said or "timed out" in said


def test_a_wrong_password_is_not_shown(mariadb: MariaDB, tmp_path: Path) -> None:
    url = f"mysql+pymysql://nobody:s3cret@127.0.0.1:{mariadb.port}/shop"
    (said,) = of(url, tmp_path).wrong("database")
    assert "nobody" in said
    assert "s3cret" not in said


def test_tables_that_are_not_there_are_bad(mariadb: MariaDB, tmp_path: Path) -> None:
    url = mariadb.create_database()
    assert of(url, tmp_path).level("no qsuper tables yet: run `qsuper db upgrade`") == "bad"
    mariadb.drop(url)


@pytest.mark.parametrize(
    ("granted", "level", "words"),
    [
        ("SELECT", "bad", "this account may not INSERT in any table"),
        ("SELECT, INSERT, UPDATE", "bad", "this account may not DELETE in any table"),
        ("SELECT, INSERT, UPDATE, DELETE", "note", "was not given ALTER, CREATE, DROP and INDEX"),
        ("ALL PRIVILEGES", "ok", "this account may read and write all tables"),
    ],
)
def test_rights_that_lack_are_said(
    mariadb: MariaDB, tmp_path: Path, granted: str, level: str, words: str
) -> None:
    url = with_tables(mariadb)
    name = make_url(url).database
    mariadb.query(
        "CREATE OR REPLACE USER clerk@'127.0.0.1' IDENTIFIED BY 'x'",
        f"GRANT {granted} ON `{name}`.* TO clerk@'127.0.0.1'",
    )
    found = of(f"mysql+pymysql://clerk:x@127.0.0.1:{mariadb.port}/{name}", tmp_path)
    assert found.level(words) == level
    assert found.level("may not see who has a transaction open") == "note"
    assert (found.level("this account was not given") is None) == (granted == "ALL PRIVILEGES")
    mariadb.drop(url)


def test_a_right_on_one_table_that_lacks_is_said_of_that_table(
    mariadb: MariaDB, tmp_path: Path
) -> None:
    url = with_tables(mariadb)
    name = make_url(url).database
    grants = [
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON `{name}`.`{table}` TO clerk@'127.0.0.1'"
        for table in rights.TABLES
        if table != "limits"
    ]
    mariadb.query(
        "CREATE OR REPLACE USER clerk@'127.0.0.1' IDENTIFIED BY 'x'",
        f"GRANT SELECT ON `{name}`.* TO clerk@'127.0.0.1'",
        *grants,
    )
    found = of(f"mysql+pymysql://clerk:x@127.0.0.1:{mariadb.port}/{name}", tmp_path)
    assert found.level("this account may not INSERT in limits") == "bad"
    mariadb.drop(url)


def test_an_old_transaction_is_said_with_who_has_it(
    own_mariadb: Callable[..., MariaDB], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # When it began is told in the host's time zone, not in ours.
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    url = with_tables(own_mariadb())
    reader = Database(url).connect_plain()
    reader.run(Statement("START TRANSACTION WITH CONSISTENT SNAPSHOT"))
    reader.rows(Statement("SELECT * FROM queue"))
    assert of(url, tmp_path).level("has had a transaction open for") is None
    monkeypatch.setattr(mysql, "TRANSACTION_LONG", 0.0)
    found = of(url, tmp_path)
    assert found.level("root@127.0.0.1") == "warn"
    assert found.level("has had a transaction open for 9h") is None
    assert "KILL" in found.mend("has had a transaction open for")
    reader.close()


def test_a_long_history_is_said(server: Server) -> None:
    long = {**server.counters, "innodb_history_list_length": "100000"}
    assert says(mysql.history(replace(server, counters=long)))[0][0] is Level.WARN
    short = {**server.counters, "innodb_history_list_length": "99999"}
    assert says(mysql.history(replace(server, counters=short)))[0][0] is Level.OK


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("ENGINE = MyISAM", "the table queue is MyISAM"),
        ("MODIFY param MEDIUMTEXT CHARACTER SET latin1 NULL", "param (latin1)"),
    ],
)
def test_a_table_made_otherwise_is_bad(
    mariadb: MariaDB, tmp_path: Path, engine: str, words: str
) -> None:
    url = with_tables(mariadb)
    assert of(url, tmp_path).level(words) is None
    run(url, f"ALTER TABLE queue {engine}")
    assert of(url, tmp_path).level(words) == "bad"
    mariadb.drop(url)


@pytest.mark.parametrize("index", [plans.CLAIM, plans.DUE])
def test_an_index_that_is_gone_is_bad_and_its_mend_makes_it_again(
    made: str, tmp_path: Path, index: str
) -> None:
    on = "" if made.startswith("sqlite") else " ON queue"
    run(made, f"DROP INDEX {index}{on}")
    words = f"the table queue has lost its index {index}"
    found = of(made, tmp_path)
    assert found.level(words) == "bad"
    run(made, found.mend(words))
    assert of(made, tmp_path).level(words) is None


def test_a_plan_that_leaves_the_index_is_said_where_there_are_many_jobs(
    made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(made, "INSERT INTO queue (task) VALUES ('one'), ('two')")
    if made.startswith("sqlite"):
        run(made, "DROP INDEX claim", "CREATE INDEX claim ON queue (mtime)")
    else:
        run(made, "ALTER TABLE queue ALTER INDEX claim IGNORED")
    assert of(made, tmp_path).level("with so few jobs") == "ok"
    monkeypatch.setattr(database, "ROWS_MANY", 0)
    found = of(made, tmp_path)
    assert found.level("the claim uses") == "warn"
    assert found.level("the look for what is due uses index due") == "ok"


def test_the_plans_are_good_with_many_rows(made: str) -> None:
    connection = Database(made).connect()
    rows: list[dict[str, Any]] = [{"status": number % 7} for number in range(20_000)]
    with connection.transaction():
        connection.many(
            Statement("INSERT INTO queue (task, status) VALUES ('task', :status)"), rows
        )
    found = plans.plans(connection, "default")
    assert len(found) == 3
    assert all(plan.is_good for plan in found), found
    connection.close()


def test_a_plan_that_sorts_is_not_good() -> None:
    assert plans.Plan("the claim", "claim", "claim", False).is_good
    assert not plans.Plan("the claim", "claim", "claim", True).is_good


@pytest.mark.parametrize(
    "changed",
    [
        {"tx_isolation": "REPEATABLE-READ"},
        {"time_zone": "SYSTEM"},
        {"innodb_lock_wait_timeout": "50"},
    ],
)
def test_a_proxy_that_forgets_a_sessions_settings_is_bad(
    server: Server, changed: dict[str, str]
) -> None:
    ((level, said),) = says(mysql.sessions(replace(server, session={**server.session, **changed})))
    assert level is Level.BAD
    assert "a proxy in between" in said
    assert says(mysql.sessions(server))[0][0] is Level.OK


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("10.5.29-MariaDB", Level.BAD),
        ("10.6.0-MariaDB-log", Level.OK),
        ("5.7.44", Level.BAD),
        ("8.4.3", Level.OK),
    ],
)
def test_a_server_that_is_too_old_is_bad(server: Server, version: str, level: Level) -> None:
    ((found, _),) = says(mysql.version(replace(server, settings={"version": version})))
    assert found is level


@pytest.mark.parametrize(
    ("status", "size", "ready", "level"),
    [
        ("Primary", "3", "ON", Level.OK),
        ("Primary", "2", "ON", Level.WARN),
        ("non-Primary", "1", "OFF", Level.BAD),
    ],
)
def test_a_galera_cluster_is_judged(
    server: Server, status: str, size: str, ready: str, level: Level
) -> None:
    assert not says(mysql.galera(server))
    node = replace(
        server,
        settings={**server.settings, "wsrep_on": "ON"},
        counters={
            "wsrep_cluster_status": status,
            "wsrep_cluster_size": size,
            "wsrep_ready": ready,
        },
    )
    ((found, _),) = says(mysql.galera(node))
    assert found is level


def test_replication_is_told(server: Server) -> None:
    assert not says(mysql.writing(server))
    replica = replace(server, counters={"slave_running": "ON"})
    assert says(mysql.writing(replica))[0][0] is Level.WARN
    followed = replace(server, counters={"slaves_connected": "2"})
    assert says(mysql.writing(followed))[0][0] is Level.NOTE
    waited = {"slaves_connected": "2", "rpl_semi_sync_master_status": "ON"}
    assert not says(mysql.writing(replace(server, counters=waited)))


def test_the_need_of_connections_is_said_in_both_ends(server: Server) -> None:
    quiet = replace(server, counters={"threads_connected": "7"}, ours=1)
    for most, level in ((100, Level.OK), (40, Level.WARN), (10, Level.BAD)):
        settings = {**server.settings, "max_connections": str(most)}
        ((found, said),) = says(
            mysql.connections(replace(quiet, settings=settings), Need(least=12, most=60))
        )
        assert found is level
        assert "12 connections at rest, 60 at most" in said


@pytest.mark.parametrize(
    ("place", "covered"),
    [
        ("*.*", True),
        ("`shop\\_1`.*", True),
        ("`shop_1`.*", True),
        ("`shop%`.*", True),
        ("`shop`.*", False),
        ("`shop_1`.`queue`", False),
    ],
)
def test_a_grant_is_read_as_the_server_reads_it(place: str, covered: bool) -> None:
    assert rights._covers(place, "shop_1") is covered


def test_clocks_apart_are_said(shifted_mariadb: ShiftedMariaDB, tmp_path: Path) -> None:
    url = shifted_mariadb.create_database()
    assert of(url, tmp_path).level("the database's clock is this host's") == "ok"
    shifted_mariadb.shift(-3600)
    found = of(url, tmp_path)
    assert found.level("s behind this host's: it decides when timers") == "warn"


def test_a_clock_is_judged_both_ways() -> None:
    assert clocks.apart("Redis' clock", 1.5, "").level is Level.WARN
    assert "ahead of" in clocks.apart("Redis' clock", 1.5, "").says
    assert "behind" in clocks.apart("Redis' clock", -1.5, "").says
    assert clocks.apart("Redis' clock", 0.5, "").level is Level.OK


def test_a_sqlite_file_is_looked_at_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "FREE_LITTLE", 0)
    path = tmp_path / "shop.db"
    url = f"sqlite:///{path}"
    schema.upgrade(Database(url))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    found = of(url, tmp_path)
    assert found.level("journal_mode is delete") == "note"
    assert path.read_bytes() == before
    assert not found.wrong("database")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert of(url, tmp_path).level("journal_mode is wal") == "ok"


def test_what_is_no_sqlite_file_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.write_text("a shopping list, and a long one at that\n" * 100)
    found = of(f"sqlite:///{path}", tmp_path)
    assert found.level("file is not a database") == "bad"


def test_a_log_that_has_grown_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    schema.upgrade(Database(url))
    reader = Database(url).connect()
    reader.run(Statement("INSERT INTO queue (task) VALUES ('one')"))
    assert of(url, tmp_path).level("shop.db-wal has grown") is None
    monkeypatch.setattr(sqlite, "WAL_LARGE", 1)
    assert of(url, tmp_path).level("shop.db-wal has grown") == "warn"
    reader.close()


@pytest.mark.parametrize(
    ("kind", "level", "words"),
    [
        ("nfs4", "bad", "lies on nfs4: SQLite's locks do not hold"),
        ("tmpfs", "warn", "lies on tmpfs"),
        ("ext4", None, "lies on"),
    ],
)
def test_the_file_system_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, level: str | None, words: str
) -> None:
    mounts = tmp_path / "mounts"
    escaped = str(tmp_path).replace(" ", "\\040")
    mounts.write_text(
        f"22 1 254:1 / / rw - ext4 /dev/vda rw\n30 22 0:9 / {escaped} rw shared:1 - {kind} it rw\n"
    )
    monkeypatch.setattr(disks, "MOUNTS", mounts)
    found = of(f"sqlite:///{tmp_path}/shop.db", tmp_path)
    assert found.level(words) == level


@pytest.mark.parametrize(("least", "level"), [(0, "warn"), (2**60, "bad")])
def test_a_disk_that_is_full_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int, level: str
) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    assert of(url, tmp_path).level("MB left for") is None
    monkeypatch.setattr(disks, "FREE_LITTLE", 2**60)
    monkeypatch.setattr(disks, "FREE_LEAST", least)
    assert of(url, tmp_path).level("MB left for") == level


def test_a_file_of_somebody_else_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    schema.upgrade(Database(url))
    monkeypatch.setattr(os, "access", lambda path, mode: "shop.db" not in str(path))
    found = of(url, tmp_path)
    assert found.level("and cannot be written by this user") == "bad"


def test_a_library_that_is_too_old_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    assert next(sqlite.library()).level is Level.OK
    monkeypatch.setattr(file, "library", lambda: (3, 36, 0))
    assert next(sqlite.library()).level is Level.BAD
