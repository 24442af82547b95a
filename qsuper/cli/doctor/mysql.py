"""What there is to say of a MySQL or MariaDB server."""

from collections.abc import Iterator

from qsuper.cli.doctor.finding import Finding, bad, counted, listed, note, ok, warn
from qsuper.cli.doctor.need import Need
from qsuper.config import Config
from qsuper.picture import span
from qsuper.store.examining.server import Server

OLDEST_MARIADB, OLDEST_MYSQL = (10, 6), (8, 0)
"""The first that have SKIP LOCKED."""
HISTORY_LARGE = 100_000
"""Old versions of rows that are kept; from some such number on each claim reads many of them."""
TRANSACTION_LONG = 60.0
"""Seconds."""
_PRODUCT = {True: "MariaDB", False: "MySQL"}


def version(server: Server) -> Iterator[Finding]:
    oldest = OLDEST_MARIADB if server.is_mariadb else OLDEST_MYSQL
    name = f"{_PRODUCT[server.is_mariadb]} {'.'.join(map(str, server.version))}"
    if server.version < oldest:
        wanted = ".".join(map(str, oldest))
        yield bad(f"{name} has no SKIP LOCKED", f"upgrade it to {wanted} or later")
    else:
        yield ok(name)


def sessions(server: Server) -> Iterator[Finding]:
    """Whether our connections are what we have asked for, and may write so."""
    wanted = {
        "isolation": (server.isolation, "READ-COMMITTED"),
        "time_zone": (server.session.get("time_zone"), "+00:00"),
        "innodb_lock_wait_timeout": (server.session.get("innodb_lock_wait_timeout"), "1"),
    }
    lost = [f"{name} is {has}" for name, (has, want) in wanted.items() if has != want]
    if lost:
        yield bad(
            f"connections do not keep what qsuper sets ({', '.join(lost)}): a proxy in between"
            " shares them out",
            "let store.url name the server itself, or switch multiplexing off in the proxy",
        )
        return
    if server.is_on("log_bin") and server.settings.get("binlog_format") == "STATEMENT":
        yield bad(
            "binlog_format is STATEMENT, which refuses every write under READ COMMITTED",
            "set binlog_format = MIXED or ROW on the server",
        )
        return
    yield ok("connections have READ COMMITTED, UTC, strict mode, and wait 1 s for a lock")


def writing(server: Server) -> Iterator[Finding]:
    """Whether this server takes writes, and who else gets them."""
    for name in ("read_only", "innodb_read_only"):
        if server.is_on(name):
            yield bad(
                f"the server is {name}: a replica, or locked for maintenance",
                "let store.url name the primary, or switch it off",
            )
    if server.is_on("slave_running"):
        yield warn(
            "the server is a replica of another one: jobs written here are not there",
            "let store.url name the primary",
        )
    replicas = server.number("slaves_connected")
    if replicas and not server.is_on("rpl_semi_sync_master_status"):
        yield note(
            f"nobody waits for {counted(replicas, 'replica')}: a failover may forget the last jobs,"
            " and run again what has just ended",
            "have semi-synchronous replication before failing over by itself",
        )


def galera(server: Server) -> Iterator[Finding]:
    if not server.is_on("wsrep_on"):
        return
    status = server.counters.get("wsrep_cluster_status", "?")
    if status != "Primary" or not server.is_on("wsrep_ready"):
        yield bad(
            f"this Galera node is {status} and not ready: it refuses all statements",
            "let it join its cluster again, or name another node in store.url",
        )
        return
    size = server.number("wsrep_cluster_size")
    if size == 2:
        yield warn(
            "the Galera cluster has 2 nodes: when one is lost the other stops, too",
            "add a third one, or an arbitrator (garbd)",
        )
    else:
        yield ok(f"a Galera cluster of {size}")


def durability(server: Server) -> Iterator[Finding]:
    """What a power cut takes."""
    flush = server.settings.get("innodb_flush_log_at_trx_commit", "1")
    cut = {}
    if flush != "1":
        cut["innodb_flush_log_at_trx_commit"] = flush
    if server.is_on("log_bin") and server.number("sync_binlog", 1) != 1:
        cut["sync_binlog"] = server.settings["sync_binlog"]
    if cut:
        yield warn(
            f"{listed([f'{name} is {value}' for name, value in cut.items()])}: a power cut takes"
            " jobs that were acknowledged, and runs ended ones again",
            f"set {listed([f'{name} = 1' for name in cut])} (SET GLOBAL, and in the server's file)",
        )
    else:
        yield ok("every commit is on disk before it is acknowledged")


def connections(server: Server, need: Need) -> Iterator[Finding]:
    most = server.number("max_connections")
    strangers = max(0, server.number("threads_connected") - server.ours)
    of_account = int(server.session.get("max_user_connections", "0") or 0)
    taken = f"{need.least} connections at rest, {need.most} at most"
    if of_account and of_account < need.most:
        yield (bad if of_account < need.least else warn)(
            f"this account may have {of_account} connections; the workers take {taken}",
            f"give it MAX_USER_CONNECTIONS {need.most}, or have fewer workers",
        )
    room = most - strangers
    have = f"max_connections is {most}, other accounts have {strangers} now"
    if room < need.most:
        yield (bad if room < need.least else warn)(
            f"{have}; the workers take {taken}",
            f"set max_connections to {need.most + strangers + strangers // 2 + 10} or more, or"
            " have fewer workers",
        )
    else:
        yield ok(f"{have}; the workers take {taken}")


def writers(server: Server, config: Config) -> Iterator[Finding]:
    """What bears on the programs of others that INSERT."""
    step = server.number("auto_increment_increment", 1)
    if step > 1:
        offset = server.number("auto_increment_offset", 1)
        yield note(
            f"ids go up by {step}, from {offset} (auto_increment_increment): where the number of"
            f" workers and {step} have a common divisor, some slices are empty and their workers"
            " help the others; nothing waits",
            f"for `qsuper work --slice I/N` choose an N that has no divisor in common with {step}",
        )
    if "STRICT" not in server.settings.get("sql_mode", ""):
        yield note(
            "sql_mode is not strict: what is too long in a bare INSERT is cut, and nobody is told",
            "add STRICT_TRANS_TABLES to sql_mode",
        )
    charset = server.settings.get("character_set_server", "utf8mb4")
    if not charset.startswith("utf8"):
        yield note(
            f"character_set_server is {charset}: a program that names no charset writes params in"
            " it",
            "set character_set_server = utf8mb4, or SET NAMES utf8mb4 in those programs",
        )
    packet = server.number("max_allowed_packet")
    if packet and packet < config.job.max_param_bytes + 4096:
        yield warn(
            f"max_allowed_packet is {packet} bytes: a param of job.max_param_bytes"
            f" ({config.job.max_param_bytes}) is refused by the server",
            "raise max_allowed_packet, or lower job.max_param_bytes",
        )


def history(server: Server) -> Iterator[Finding]:
    """Whether old versions of rows heap up, and who keeps them."""
    length = server.number("innodb_history_list_length", -1)
    oldest = server.oldest
    if oldest is not None and oldest.seconds >= TRANSACTION_LONG:
        yield warn(
            f"{oldest.who} has had a transaction open for {span(oldest.seconds)}: while it lasts"
            " every claim reads what it still sees, and locks it holds make jobs wait",
            f"end it where it was begun, or `KILL {oldest.thread}`",
        )
    if length >= HISTORY_LARGE:
        yield warn(
            f"the history list is {length:,} long: each claim reads old versions of rows",
            "end old transactions (dumps, forgotten sessions); then it shrinks by itself",
        )
    elif length >= 0:
        yield ok(f"the history list is {length:,} long")
    if not server.may_look:
        yield note(
            "this account may not see who has a transaction open",
            "GRANT PROCESS ON *.* to it, or look as another one",
        )
