"""Are the tables there, and are they ours? And how they get there."""

import logging
from pathlib import Path

from qsuper.errors import SchemaError, StoreError
from qsuper.store.backend import Statement
from qsuper.store.database import Connection, Database

VERSIONS = ("0001", "0002", "0003", "0004", "0005")
"""Every migration in order, the newest last."""

_VERSION = Statement("SELECT version_num FROM alembic_version")
# Table by table, whether it has the column that only qsuper's `queue` has.
_QUEUES = {
    "mysql": Statement(
        """
        SELECT table_name, MAX(column_name = 'claims') FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name IN ('queue', 'queue_adoption')
        GROUP BY table_name
        """
    ),
    "sqlite": Statement(
        "SELECT 'queue', MAX(name = 'claims') FROM pragma_table_info('queue') HAVING COUNT(*) > 0"
    ),
}
_TAKE_OVER = {
    "mysql": "run `qsuper db adopt` to take it over",
    "sqlite": "rename it, or name another file in store.url (none is adopted in SQLite)",
}
_OLDEST = Statement("SELECT oldest FROM compatible")
_MYSQL_NO_TABLE = "1146"


def version(connection: Connection) -> str | None:
    """The version the tables are at, or None where there are none."""
    try:
        row = connection.row(_VERSION)
    except StoreError as error:
        if "no such table" in str(error) or f"error {_MYSQL_NO_TABLE}" in str(error):
            return None
        raise
    return str(row[0]) if row else None


def check(connection: Connection) -> None:
    """Raise `SchemaError` unless this program can work on the tables: they are at its version, or
    at a later one that says that it still serves this one, as during a deploy."""
    found = version(connection)
    _refuse_old_queue(connection)
    if found == VERSIONS[-1]:
        return
    if found is None:
        raise SchemaError("the database has no qsuper tables yet: run `qsuper db upgrade`")
    if found in VERSIONS:
        raise SchemaError(
            f"the database's tables are at version {found}, this qsuper wants {VERSIONS[-1]}:"
            " run `qsuper db upgrade`"
        )
    newer = found > VERSIONS[-1]
    if newer and (oldest := connection.row(_OLDEST)) and str(oldest[0]) <= VERSIONS[-1]:
        return
    how = "newer than" if newer else "none that"
    raise SchemaError(
        f"the database's tables are at version {found}, {how} this qsuper knows"
        f" ({VERSIONS[-1]}): install the qsuper that made them"
    )


def _refuse_old_queue(connection: Connection) -> None:
    """A table `queue` that is not qsuper's, or was on its way to become it."""
    kind = connection.backend.name
    queues = dict(connection.rows(_QUEUES[kind]))
    if "queue_adoption" in queues:
        raise SchemaError("an adoption of an old queue was cut off: run `qsuper db adopt` again")
    if queues.get("queue") == 0:
        raise SchemaError(f"the database holds another program's `queue`: {_TAKE_OVER[kind]}")


def upgrade(database: Database, *, adopting: bool = False) -> tuple[str | None, str]:
    """Bring the tables to the newest version; returns the versions before and after.

    Raises `SchemaError`, and changes nothing, where `queue` is an old one that is to be adopted;
    `adopting` says that this is what happens just now.

    Safe to run twice at once: on MySQL a named lock, on SQLite the write lock, keeps the second
    waiting, and it then finds nothing to do.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Alembic takes a tenth of a second to import, and only this verb needs it.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError

    connection = database.connect()
    try:
        if database.backend.name == "mysql":
            _lock_out_others(connection)
        if not adopting:
            _refuse_old_queue(connection)
        before = version(connection)
        if before is not None and before not in VERSIONS:
            check(connection)
            return before, before
        if before == VERSIONS[-1]:
            return before, before
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            with database.patient().engine.connect() as bound:
                if database.backend.name == "sqlite":
                    bound.exec_driver_sql("BEGIN IMMEDIATE")
                    if version(connection) == VERSIONS[-1]:
                        return before, VERSIONS[-1]
                config.attributes["connection"] = bound
                command.upgrade(config, "head")
                bound.commit()
        except DBAPIError as error:
            refusal = database.translate(error)
            if "already exists" in str(refusal):
                raise SchemaError(
                    f"{refusal}: the database holds tables that are not qsuper's;"
                    " name another one in store.url, or rename them"
                ) from error
            raise refusal from error
        return before, VERSIONS[-1]
    finally:
        connection.close()


def _lock_out_others(connection: Connection) -> None:
    """One upgrade at a time; the lock goes with the connection."""
    if connection.row(Statement("SELECT GET_LOCK('qsuper db upgrade', 60)"))[0] != 1:
        raise SchemaError("another `qsuper db upgrade` has been at work for a minute: wait for it")


def ensure(database: Database) -> None:
    """Make the tables where that is no decision: in a SQLite file that has none yet."""
    if database.backend.name != "sqlite":
        return
    connection = database.connect()
    try:
        if version(connection) is None:
            upgrade(database)
    finally:
        connection.close()
