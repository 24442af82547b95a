"""The part of `qsuper check` that asks Redis."""

from collections.abc import Iterator, Sequence
from contextlib import closing

from qsuper.config import Config
from qsuper.errors import AppError, RedisError, RedisUnavailable
from qsuper.redis import flags, keyspace
from qsuper.redis.address import EMBEDDED, socket_path
from qsuper.redis.program import DATABASES, find_program
from qsuper.redis.server import Server
from qsuper.redis.subscription import Subscription
from qsuper.tasks import application
from qsuper.tasks.expiry import watches_of
from qsuper.tasks.registry import Registry
from qsuper.tasks.watch import Watch


class Note(str):
    """What is no mistake, but worth knowing."""

    __slots__ = ()


def redis(config: Config) -> Iterator[str]:
    """Which server there is, whether it is of use, and whether the watches make sense."""
    registry = _registry(config)
    watches = watches_of(config, registry)
    if config.redis.url is None:
        if watches:
            raise RedisError(f"{_named(watches)} cannot be watched without Redis: set redis.url")
        yield "none configured (redis.url), no key can be watched"
        return
    if config.redis.url == EMBEDDED:
        socket = socket_path(config)
        program, version = find_program()
        yield f"embedded: {version}, {program}, on {socket}"
        missing = [watch for watch in watches if (watch.db or 0) >= DATABASES]
    else:
        with closing(Server(config.redis.url)) as server:
            if not _has_database(server, None):
                raise RedisError(f"{server}: the server has no database {server.db}")
            yield f"{server}: {server.check_version() or 'its version may not be asked for'}"
            yield from _judge_settings(server, watches)
            missing = [watch for watch in watches if not _has_database(server, watch.db)]
            _try(server, [watch for watch in watches if watch not in missing])
    yield from _judge_watches(config, watches, registry)
    if missing:
        mend = (
            f"an embedded Redis has {DATABASES} of them"
            if config.redis.url == EMBEDDED
            else "or raise `databases` in the server's configuration"
        )
        raise RedisError(
            f"{_named(missing)} cannot be watched: there is no such database; give the watch"
            f" another db, {mend}"
        )


def _registry(config: Config) -> Registry:
    """What the application declares; nothing when it cannot be imported: `app` tells why."""
    try:
        return application.load(config)
    except AppError:
        return Registry()


def _judge_settings(server: Server, watches: Sequence[Watch]) -> Iterator[str]:
    try:
        present = flags.read(server)
        with server.words():
            policy = server.client().config_get("maxmemory-policy").get("maxmemory-policy", "")
    except RedisUnavailable:
        raise
    except RedisError:
        if watches:
            yield Note(
                f'CONFIG is forbidden: set {flags.SETTING} "{flags.NEEDED}" on the server, or'
                " expired keys are found by polling"
            )
        return
    if watches and (missing := flags.missing(present)):
        yield f'{flags.SETTING} is "{present}", the listener will add "{missing}"'
    if watches and policy.startswith("allkeys-"):
        yield Note(
            f"maxmemory-policy is {policy}: a key that is evicted still becomes a job at its"
            " deadline, one that was never seen does not"
        )


def _try(server: Server, watches: Sequence[Watch]) -> None:
    """Do once what the listener does all the time; raises `RedisError` where that is forbidden."""
    places = [(server.db if watch.db is None else watch.db, watch) for watch in watches]
    subscription = Subscription(server, [(db, watch.raw) for db, watch in places])
    subscription.close()
    if subscription.refused:
        raise RedisError(
            f"this user may not listen to keys: grant it {' '.join(subscription.refused)}"
            " (ACL SETUSER)"
        )
    for db, watch in places:
        # Some name that the pattern is for: an ACL may grant just these.
        name = watch.raw.replace(b"*", b"0").replace(b"?", b"0")
        if keyspace.look(server, db, [name])[0].deadline == keyspace.FORBIDDEN:
            raise RedisError(
                f"this user may not read keys of {_named([watch])}: grant it ~{watch.pattern}"
                " (ACL SETUSER); docs/watching.md has the ACL it takes"
            )


def _has_database(server: Server, db: int | None) -> bool:
    try:
        with server.words():
            server.client(db).ping()
    except RedisUnavailable:
        raise
    except RedisError as error:
        if "out of range" not in str(error):
            raise
        return False
    return True


def _judge_watches(config: Config, watches: Sequence[Watch], registry: Registry) -> Iterator[str]:
    if watches:
        yield f"watches {_named(watches)}"
    for watch in watches:
        if watch.is_everything:
            yield Note(
                f"{_named([watch])} is every key there is: each one that expires becomes a job"
            )
        if registry.get(watch.task) is None and watch.task not in config.tasks:
            yield Note(
                f"{_named([watch])} becomes a job of {watch.task!r}, a task that is not known here"
            )


def _named(watches: Sequence[Watch]) -> str:
    return ", ".join(
        repr(watch.pattern) if watch.db is None else f"{watch.pattern!r} (db {watch.db})"
        for watch in watches
    )
