"""The statements that make the new tables, up to the moment of the switch.

They make what the first migration makes; the later ones then run as in any upgrade, on a table
that is still all but empty.
"""

import re

from qsuper.errors import SchemaError
from qsuper.store.adopting.names import (
    BACKUP,
    BUILD,
    BUILD_VERSION,
    OLD,
    PROGRESS,
    TRIGGER,
)
from qsuper.store.adopting.old_table import OldTable
from qsuper.store.migrations.versions import v0001_first

_PROGRESS = f"""
    CREATE TABLE IF NOT EXISTS {PROGRESS} (
        one TINYINT NOT NULL PRIMARY KEY DEFAULT 1,
        waiting_upto BIGINT NOT NULL DEFAULT 0,
        finished_upto BIGINT NOT NULL DEFAULT 0,
        copied BIGINT NOT NULL DEFAULT 0
    ) ENGINE=InnoDB
"""
# Only the old programs fill in taskphp; qsuper's own priorities are right as they are.
_TRIGGER = f"""
    CREATE TRIGGER {TRIGGER} BEFORE INSERT ON {BUILD} FOR EACH ROW
    SET NEW.priority =
        IF(NEW.taskphp > '', LEAST(32767, -CAST(NEW.priority AS SIGNED)), NEW.priority)
"""
SWITCH = f"RENAME TABLE {OLD} TO {BACKUP}, {BUILD} TO {OLD}, {BUILD_VERSION} TO alembic_version"
"""All at once: no writer ever finds a moment without the table."""
ABOVE = f"ALTER TABLE {BUILD} AUTO_INCREMENT = {{0}}"


def beginning(old: OldTable, *, larger_first: bool) -> list[str]:
    """The statements before the switch, each of which may be run again after a crash."""
    queue, *others = v0001_first.TABLES["mysql"]
    statements = [
        _PROGRESS,
        f"INSERT IGNORE INTO {PROGRESS} (one) VALUES (1)",
        *(_replaced(table, "CREATE TABLE", "CREATE TABLE IF NOT EXISTS") for table in others),
        f"DROP TABLE IF EXISTS {BUILD_VERSION}",
        f"CREATE TABLE {BUILD_VERSION} (version_num VARCHAR(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))",
        f"INSERT INTO {BUILD_VERSION} VALUES ('{v0001_first.revision}')",
        f"DROP TABLE IF EXISTS {BUILD}",
        _replaced(queue, "CREATE TABLE queue ", f"CREATE TABLE {BUILD} "),
        f"ALTER TABLE {BUILD} {', '.join(_changes(old))}",
    ]
    if larger_first:
        statements.append(_TRIGGER)
    return [" ".join(statement.split()) for statement in statements]


def _changes(old: OldTable) -> list[str]:
    """What the table of the first migration lacks for the old programs' INSERTs."""
    null = "NULL" if old.columns["taskphp"].nullable else "NOT NULL"
    return [
        f"ADD COLUMN taskphp VARCHAR(190) COLLATE utf8mb4_bin {null} DEFAULT '' AFTER queue",
        "MODIFY task VARCHAR(190) COLLATE utf8mb4_bin NOT NULL DEFAULT (COALESCE(taskphp, ''))",
        *(f"ADD COLUMN `{name}` {definition}" for name, definition in old.extra.items()),
    ]


def _replaced(statement: str, words: str, by: str) -> str:
    if words not in statement:
        raise SchemaError(f"the first migration no longer says {words!r}: it must never change")
    return statement.replace(words, by, 1)


def shown(statement: str) -> str:
    """A statement on one line, without the columns of tables that are qsuper's."""
    return re.sub(r"^(CREATE TABLE(?: IF NOT EXISTS)? \w+) .*", r"\1 (…)", statement)
