"""A MySQL or MariaDB server: its settings, what our sessions are given, who is on it."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from qsuper.errors import StoreError
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

SETTINGS = (
    "auto_increment_increment",
    "auto_increment_offset",
    "binlog_format",
    "character_set_server",
    "innodb_flush_log_at_trx_commit",
    "innodb_lock_wait_timeout",
    "innodb_read_only",
    "log_bin",
    "max_allowed_packet",
    "max_connections",
    "read_only",
    "sql_mode",
    "sync_binlog",
    "version",
    "wsrep_on",
)
SESSION = (
    "innodb_lock_wait_timeout",
    "max_user_connections",
    "sql_mode",
    "time_zone",
    "transaction_isolation",
    "tx_isolation",
)
COUNTERS = (
    "innodb_history_list_length",
    "rpl_semi_sync_master_status",
    "slave_running",
    "slaves_connected",
    "threads_connected",
    "wsrep_cluster_size",
    "wsrep_cluster_status",
    "wsrep_ready",
)


def _shown(kind: str, names: tuple[str, ...]) -> Statement:
    listed = ", ".join(f"'{name}'" for name in names)
    return Statement(f"SHOW {kind} WHERE variable_name IN ({listed})")


_SETTINGS = _shown("GLOBAL VARIABLES", SETTINGS)
_SESSION = _shown("SESSION VARIABLES", SESSION)
_COUNTERS = _shown("GLOBAL STATUS", COUNTERS)
# Without the right PROCESS one sees one's own: just those that are to be counted.
_OURS = Statement(
    """
    SELECT COUNT(*) FROM information_schema.processlist
    WHERE user = SUBSTRING_INDEX(USER(), '@', 1) AND db = DATABASE()
    """
)
# Started by the clock of the host, whatever the session's time zone is.
_OLDEST = Statement(
    """
    SELECT TIMESTAMPDIFF(SECOND, CONVERT_TZ(trx_started, 'SYSTEM', @@time_zone), NOW()),
        trx_mysql_thread_id, COALESCE(user, '?'), COALESCE(host, '?')
    FROM information_schema.innodb_trx
    LEFT JOIN information_schema.processlist ON processlist.id = trx_mysql_thread_id
    WHERE trx_mysql_thread_id <> CONNECTION_ID() ORDER BY trx_started LIMIT 1
    """
)
_CLOCK = Statement("SELECT {unix_now}")


@dataclass(frozen=True, slots=True)
class Transaction:
    """One that is open."""

    seconds: float
    thread: int
    """What `KILL` wants."""
    who: str


@dataclass(frozen=True, slots=True)
class Server:
    """A server as it is now. Names are in small letters; what a server does not know is missing."""

    settings: Mapping[str, str]
    session: Mapping[str, str]
    """As one of our connections is given them."""
    counters: Mapping[str, str]
    ours: int
    """Connections of this account to this database, this one included."""
    oldest: Transaction | None
    """None where there is none, and where it may not be looked for."""
    may_look: bool
    """Whether this account may see others' transactions."""

    @property
    def is_mariadb(self) -> bool:
        return "mariadb" in self.settings.get("version", "").lower()

    @property
    def version(self) -> tuple[int, ...]:
        return tuple(map(int, re.findall(r"\d+", self.settings.get("version", ""))[:3]))

    @property
    def isolation(self) -> str:
        """Of our connections."""
        return self.session.get("transaction_isolation") or self.session.get("tx_isolation", "")

    def number(self, name: str, otherwise: int = 0) -> int:
        """A setting or a counter; `otherwise` when there is none."""
        text = self.settings.get(name, self.counters.get(name, ""))
        return int(text) if text.lstrip("-").isdigit() else otherwise

    def is_on(self, name: str) -> bool:
        text = self.settings.get(name, self.counters.get(name, ""))
        return text.upper() in ("ON", "1", "YES")


def look(connection: Connection) -> Server:
    """Raises `StoreError`."""
    may_look, oldest = True, None
    try:
        row = connection.row(_OLDEST)
        if row is not None:
            oldest = Transaction(float(row[0] or 0), int(row[1]), f"{row[2]}@{row[3]}")
    except StoreError as error:
        if "error 1227" not in str(error):
            raise
        may_look = False
    return Server(
        settings=_read(connection, _SETTINGS),
        session=_read(connection, _SESSION),
        counters=_read(connection, _COUNTERS),
        ours=int(connection.row(_OURS)[0]),
        oldest=oldest,
        may_look=may_look,
    )


def ahead(connection: Connection) -> float:
    """Seconds by which the database's clock is ahead of this host's."""
    before = time.time()
    theirs = float(connection.row(_CLOCK)[0])
    return theirs - (before + time.time()) / 2


def _read(connection: Connection, statement: Statement) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in connection.rows(statement)}
