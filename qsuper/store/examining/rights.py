"""What the account may do, found out without doing it."""

import re

from qsuper.errors import StoreError
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

# A server asks for the same rights to explain a statement as to run it; so roles count, too.
_TRIED = {
    "SELECT": "EXPLAIN SELECT 1 FROM {table}",
    "INSERT": "EXPLAIN INSERT INTO {table} () VALUES ()",
    "UPDATE": "EXPLAIN UPDATE {table} SET {column} = {column} WHERE 1 = 0",
    "DELETE": "EXPLAIN DELETE FROM {table} WHERE 1 = 0",
}
TABLES = {
    "queue": "status",
    "attempts": "claims",
    "nodes": "host",
    "queues": "paused",
    "watched_keys": "state",
    "schedules": "paused",
    "schedule_runs": "job_id",
    "limits": "claims",
    "rates": "free_at",
    "job_groups": "pending",
}
"""What the daemon reads and writes, each with a column of it."""
_DENIED = ("error 1142", "error 1143", "error 1044")
UPGRADES = ("ALTER", "CREATE", "DROP", "INDEX")
"""What `db upgrade` needs besides."""
_GRANT = re.compile(r"GRANT (?P<rights>.+?) ON (?P<place>\S+) TO ", re.IGNORECASE)
_DATABASE = Statement("SELECT DATABASE()")
_GRANTS = Statement("SHOW GRANTS")


def missing(connection: Connection) -> dict[str, list[str]]:
    """By right, the tables on which the account has it not; empty when all is allowed."""
    found: dict[str, list[str]] = {}
    for right, sql in _TRIED.items():
        for table, column in TABLES.items():
            try:
                connection.rows(Statement(sql.format(table=table, column=column)))
            except StoreError as error:
                if any(number in str(error) for number in _DENIED):
                    found.setdefault(right, []).append(table)
    return found


def missing_for_upgrades(connection: Connection) -> list[str]:
    """What the account was not given of `UPGRADES`; empty also where a role may have it."""
    database = str(connection.row(_DATABASE)[0])
    given: set[str] = set()
    for line, *_ in connection.rows(_GRANTS):
        grant = _GRANT.match(str(line))
        if grant is None:
            # A role, of whose rights this line says nothing.
            return []
        if _covers(grant["place"], database):
            given |= {right.strip().upper() for right in grant["rights"].split(",")}
    if {"ALL PRIVILEGES", "ALL"} & given:
        return []
    return [right for right in UPGRADES if right not in given]


def _covers(place: str, database: str) -> bool:
    """Whether a GRANT on `place` is one on all tables of the database."""
    schema, _, table = place.rpartition(".")
    if table.strip("`") != "*":
        return False
    name = schema.strip("`").replace("``", "`")
    letters = re.split(r"(\\.|%|_)", name)
    pattern = "".join(
        ".*" if part == "%" else "." if part == "_" else re.escape(part.removeprefix("\\"))
        for part in letters
    )
    return name == "*" or re.fullmatch(pattern, database, re.IGNORECASE) is not None
