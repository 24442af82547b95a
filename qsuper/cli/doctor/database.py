"""The database: the server or the file, the tables, what the account may do."""

from collections.abc import Iterator

from qsuper.cli.checks import writable
from qsuper.cli.doctor import mysql, sqlite
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.finding import Finding, bad, listed, note, ok, warn
from qsuper.cli.doctor.need import Need
from qsuper.config import Config, redact_url
from qsuper.errors import SchemaError, StoreError, StoreUnavailable
from qsuper.store import nodes, schema
from qsuper.store.database import Connection, Database
from qsuper.store.examining import file, plans, rights, server, tables

PATIENCE = 10.0
"""Seconds for one statement."""
ROWS_MANY = 10_000
"""Rows of `queue` from which on it matters how they are found."""


def patient(config: Config) -> Database:
    """The database, for whoever does not wait for long."""
    wait = min(config.store.connect_timeout, PATIENCE)
    return Database(config.store.url, connect_timeout=wait, read_timeout=PATIENCE)


def database(case: Case) -> Iterator[Finding]:
    found = patient(case.config)
    if found.backend.name == "sqlite":
        yield from _file(found, case)
        return
    where = redact_url(case.config.store.url)
    try:
        connection = found.connect()
    except StoreUnavailable as error:
        yield bad(f"{where}: {error}", "start the server, or correct store.url")
        return
    except StoreError as error:
        yield bad(f"{where}: {error}", "correct store.url, or have the account let in")
        return
    try:
        yield ok(where)
        yield from _server(connection, case)
    finally:
        connection.close()


def _server(connection: Connection, case: Case) -> Iterator[Finding]:
    seen = server.look(connection)
    yield from mysql.version(seen)
    yield from mysql.sessions(seen)
    yield from mysql.writing(seen)
    yield from mysql.galera(seen)
    yield from mysql.durability(seen)
    yield from mysql.writers(seen, case.config)
    yield from mysql.history(seen)
    version = _version(connection)
    yield version
    if version.level:
        yield from mysql.connections(seen, Need.of(case))
        return
    yield from mysql.connections(seen, Need.of(case, _elsewhere(connection, case)))
    yield from _table(connection)
    yield from _rights(connection)
    yield from _indexes(connection, case)


def _file(found: Database, case: Case) -> Iterator[Finding]:
    yield from sqlite.library()
    path = file.path_of(case.config.store.url)
    if not path.exists():
        writable(path.parent, "store.url")
        yield from sqlite.place(path)
        yield note(f"{path} is not there yet: it is made at the first start")
        return
    yield from sqlite.place(path)
    try:
        with file.reading(found, path) as connection:
            yield from sqlite.journal(path, file.journal_mode(connection))
            version = _version(connection)
            yield version
            if not version.level:
                yield from _indexes(connection, case)
    except StoreError as error:
        yield bad(f"{path}: {error}", "name another file in store.url, or restore this one")


def _version(connection: Connection) -> Finding:
    try:
        schema.check(connection)
    except SchemaError as error:
        return bad(str(error))
    return ok(f"the tables are at version {schema.version(connection)}")


def _elsewhere(connection: Connection, case: Case) -> list[int]:
    """The workers of each other node."""
    own = None if case.picture is None else case.picture.node
    return [
        sum(node.workers.values())
        for node in nodes.everyone(connection)
        if node.alive and node.id != own
    ]


def _table(connection: Connection) -> Iterator[Finding]:
    made = tables.look(connection)
    if made.engine != "InnoDB":
        yield bad(
            f"the table queue is {made.engine}, which knows no transactions",
            "ALTER TABLE queue ENGINE = InnoDB",
        )
    if made.narrow:
        columns = listed([f"{name} ({charset})" for name, charset in made.narrow.items()])
        yield bad(
            f"columns of queue do not hold utf8mb4: {columns}; some texts are refused or garbled",
            "ALTER TABLE queue MODIFY them to CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        )
    else:
        yield ok(f"the table queue is {made.engine}, utf8mb4")


def _rights(connection: Connection) -> Iterator[Finding]:
    missing = rights.missing(connection)
    for right, names in missing.items():
        where = "any table" if len(names) == len(rights.TABLES) else listed(names)
        yield bad(
            f"this account may not {right} in {where}",
            f"GRANT {right} ON the database's tables to it",
        )
    if not missing:
        yield ok("this account may read and write all tables")
    if lacking := rights.missing_for_upgrades(connection):
        yield note(
            f"this account was not given {listed(lacking)}: `qsuper db upgrade` fails with it",
            "upgrade with an account that has them (QSUPER_STORE__URL)",
        )


def _indexes(connection: Connection, case: Case) -> Iterator[Finding]:
    if missing := plans.missing_indexes(connection):
        yield bad(
            f"the table queue has lost its index {listed(list(missing))}: each look reads all jobs",
            "; ".join(missing.values()),
        )
        return
    few = plans.rows_about(connection) < ROWS_MANY
    for plan in plans.plans(connection, next(iter(case.config.queues), "default")):
        how = f"index {plan.used}" if plan.used else "no index"
        if plan.is_good:
            yield ok(f"{plan.what} uses {how}")
        elif few:
            yield ok(f"{plan.what} uses {how}; with so few jobs that is as good as any")
        else:
            yield warn(
                f"{plan.what} uses {how}{' and sorts' if plan.sorts else ''}, not {plan.wanted}:"
                " it slows down with every job in the table",
                "ANALYZE TABLE queue" if connection.backend.name == "mysql" else "run ANALYZE",
            )
