"""Redis: what the listener needs of it, and what may take keys from under it."""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress

from qsuper.cli import check_redis
from qsuper.cli.doctor import reused
from qsuper.cli.doctor.case import Case
from qsuper.cli.doctor.finding import Finding, bad, note, ok, warn
from qsuper.errors import QsuperError, RedisError
from qsuper.redis import examining
from qsuper.redis.address import EMBEDDED
from qsuper.redis.examining import Seen
from qsuper.redis.server import Server
from qsuper.tasks.expiry import watches_of
from qsuper.tasks.watch import Watch

BUFFER_LEAST = 8 * 1024**2
"""Bytes of events that may wait for the listener before Redis cuts it off."""
FULL = 0.9
"""The part of maxmemory from which on it is said."""
STRANGERS_MOST = 0.5
"""The part of a database's keys that may be nobody's watch."""
KEYS_MANY = 100
"""Keys of a sample from which on that part tells something."""


def redis(case: Case) -> Iterator[Finding]:
    """As `qsuper check` has it, and more where there is a server of one's own."""
    yield from reused.lines(check_redis.redis, case.config)
    url = case.config.redis.url
    if url is None or url == EMBEDDED:
        return
    watches: list[Watch] = []
    # What cannot be a watch has been said.
    with suppress(QsuperError):
        watches = watches_of(case.config, case.registry)
    try:
        with closing(Server(url)) as server:
            seen = examining.look(server)
            yield from setup(seen)
            if seen.settings:
                yield from eviction(seen, watched=bool(watches))
                yield from buffer(seen)
                yield from persistence(seen)
            else:
                yield note(
                    "CONFIG GET is forbidden: eviction, buffers and persistence cannot be seen",
                    "have the account let use CONFIG|GET",
                )
            yield from _neighbours(server, watches)
    except RedisError:
        # That it does not answer has been said.
        return


def setup(seen: Seen) -> Iterator[Finding]:
    """Replica, cluster, or a server of its own."""
    if seen.info.get("role") == "slave":
        yield bad(
            "the server is a replica: it takes no writes, and its keys expire when the primary"
            " says so",
            "let redis.url name the primary",
        )
    elif seen.info.get("cluster_enabled"):
        yield bad(
            "the server is of a cluster: each one tells of its own keys only, and qsuper listens"
            " to one",
            "put watched keys on a server without cluster mode",
        )
    elif seen.info:
        yield ok("neither a replica nor of a cluster")


def eviction(seen: Seen, *, watched: bool) -> Iterator[Finding]:
    """Whether keys may go before their time, or new ones be refused."""
    policy = seen.settings.get("maxmemory-policy", "noeviction")
    most, used = int(seen.info.get("maxmemory", 0)), int(seen.info.get("used_memory", 0))
    if most and used > most * FULL:
        what = "new keys are refused" if policy == "noeviction" else "keys are being evicted"
        yield warn(
            f"maxmemory is used to {used / most:.0%}: at 100% {what}",
            "raise maxmemory, or move other programs' keys elsewhere",
        )
    # `check` has told of the others.
    if watched and most and policy.startswith("volatile-"):
        yield note(
            f"maxmemory-policy is {policy}, which takes the keys with an expiry first: one that is"
            " evicted becomes a job at its deadline all the same, but its last value may be missed",
            "set maxmemory-policy to noeviction, or give watched keys a server of their own",
        )
    elif policy == "noeviction":
        yield ok("maxmemory-policy is noeviction")


def buffer(seen: Seen) -> Iterator[Finding]:
    """How many events may wait for the listener."""
    limits = seen.settings.get("client-output-buffer-limit", "").split()
    if "pubsub" not in limits:
        return
    hard, soft, seconds = map(int, limits[limits.index("pubsub") + 1 :][:3])
    shown = f"client-output-buffer-limit pubsub is {hard} {soft} {seconds}"
    if 0 < hard < BUFFER_LEAST:
        yield warn(
            f"{shown}: in a burst of expiries the listener is cut off, and goes over all keys"
            " again",
            'CONFIG SET client-output-buffer-limit "pubsub 32mb 8mb 60"',
        )
    else:
        yield ok(shown)


def persistence(seen: Seen) -> Iterator[Finding]:
    """What a restart of Redis takes."""
    info = seen.info
    failed = [
        what
        for what in ("rdb_last_bgsave_status", "aof_last_write_status")
        if info.get(what, "ok") != "ok"
    ]
    if failed:
        yield bad(
            f"Redis cannot save its keys ({', '.join(failed)}), and may refuse new ones",
            "look into its log; its disk is full, or its folder may not be written",
        )
    elif seen.settings.get("appendonly") != "yes" and not seen.settings.get("save"):
        yield note(
            "Redis keeps nothing over a restart: jobs of keys it forgets come at the deadline, as"
            " presumed",
            "set appendonly yes",
        )
    else:
        yield ok("Redis keeps its keys over a restart")


def _neighbours(server: Server, watches: Sequence[Watch]) -> Iterator[Finding]:
    """Whether other programs' keys lie among the watched ones."""
    for db in sorted({server.db if watch.db is None else watch.db for watch in watches}):
        keys = examining.sample(server, db)
        ours = [watch for watch in watches if db == (server.db if watch.db is None else watch.db)]
        strange = [key for key in keys if not any(watch.matches(key) for watch in ours)]
        if len(keys) >= KEYS_MANY and len(strange) > STRANGERS_MOST * len(keys):
            yield note(
                f"database {db} is shared: {len(strange):,} of {len(keys):,} keys looked at are"
                " watched by nobody, and each look over all keys passes them, too",
                "give watched keys a database number of their own",
            )
