"""Every way in which a watched key changes or ends, and the jobs that follow from it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.acceptance.keys.expiries import Life, Told, judge
from tests.acceptance.keys.watched import Watched
from tests.acceptance.rows import Rows
from tests.servers import MariaDB, Redis

SOON, LATER = 2500, 3500
"""Milliseconds: long enough for two further steps, and for something to have happened before."""
STEP = 0.3
"""Seconds between two steps of a history: the listener has seen the one before the next, or has
not; what is expected is the same."""

Keys = Any
"""A client of database 0."""
History = Callable[[Keys, str], Iterator[None]]
"""What happens to the key of this name, and others whose names begin with it, step by step."""


@dataclass(frozen=True)
class Case:
    """A history, and what its handlers must be told."""

    history: History
    expired: list[tuple[str, str | None]] = field(default_factory=list)
    """What is appended to the name of the key, and the value."""
    kind: str = "string"
    unknown: bool = False
    """Whether nobody may have been able to see the value."""


CASES: dict[str, Case] = {}


def case(*expired: str | tuple[str, str | None], **more: Any) -> Callable[[History], History]:
    """Register a history; a bare value is one of the key itself."""

    def register(history: History) -> History:
        lives = [one if isinstance(one, tuple) else ("", one) for one in expired]
        CASES[history.__name__] = Case(history, lives, **more)
        return history

    return register


@case("1")
def set_once(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", ex=2)
    yield


@case("2")
def set_again_before_it_expires(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.set(key, "2", px=SOON)
    yield


@case("1")
def set_again_with_the_same_value(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.set(key, "1", px=LATER)


@case("2")
def set_again_at_once(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    keys.set(key, "2", px=LATER)
    yield


@case("2")
def set_again_with_an_earlier_deadline(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=LATER)
    yield
    keys.set(key, "2", px=SOON)
    yield


@case("1", "2")
def set_again_after_it_expired(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=100)
    yield
    assert keys.set(key, "2", px=SOON, get=True) is None
    yield


@case("1")
def expire_later(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.pexpire(key, LATER)
    yield


@case("1")
def expire_earlier(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", ex=3600)
    yield
    keys.pexpire(key, SOON)
    yield


@case("1")
def expire_later_and_earlier_again(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.expire(key, 3600)
    yield
    keys.pexpire(key, SOON)


@case("1")
def expire_a_key_that_had_no_deadline(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1")
    yield
    keys.pexpire(key, SOON)


@case()
def expire_at_once(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.expire(key, 0)


@case()
def expire_in_the_past(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.expireat(key, 1_000_000)


@case()
def persist(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.persist(key)


@case()
def set_without_a_deadline(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.set(key, "2")


@case()
def overwritten_by_a_command_of_another_type(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    keys.sadd(f"other:{key}", "a")
    yield
    keys.sunionstore(key, f"other:{key}")


@case("2")
def set_and_keep_the_deadline(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.set(key, "2", keepttl=True)


@case("12")
def append(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.append(key, "2")


@case("3")
def count_in_it(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.incr(key, 2)


@case()
def delete(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.delete(key)


@case()
def unlink(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.unlink(key)


@case()
def get_and_delete(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.getdel(key)


@case("2")
def delete_and_set_again(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.delete(key)
    keys.set(key, "2", px=SOON)


@case()
def set_and_delete_at_once(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    keys.delete(key)
    yield


@case()
def rename_away(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.rename(key, f"other:{key}")


@case((":new", "1"))
def rename_to_a_watched_name(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.rename(key, f"{key}:new")


@case("2")
def rename_onto_it(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    keys.set(f"other:{key}", "2", px=LATER)
    yield
    keys.rename(f"other:{key}", key)


@case()
def rename_a_key_without_a_deadline_onto_it(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    keys.set(f"other:{key}", "2")
    yield
    keys.rename(f"other:{key}", key)


@case("1", (":copy", "1"))
def copy(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.copy(key, f"{key}:copy")


@case("2")
def copy_over_it(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    keys.set(f"other:{key}", "2", px=LATER)
    yield
    keys.copy(f"other:{key}", key, replace=True)


@case("1")
def restore(keys: Keys, key: str) -> Iterator[None]:
    keys.eval(
        "redis.call('set', KEYS[2], '1')"
        " return redis.call('restore', KEYS[1], ARGV[1], redis.call('dump', KEYS[2]))",
        2,
        key,
        f"other:{key}",
        SOON,
    )
    yield


@case("2")
def restore_over_it(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.eval(
        "redis.call('set', KEYS[2], '2') return redis.call('restore', KEYS[1], ARGV[1],"
        " redis.call('dump', KEYS[2]), 'REPLACE')",
        2,
        key,
        f"other:{key}",
        LATER,
    )


@case("1")
def get_and_set_a_deadline(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.getex(key, px=LATER)


@case()
def get_and_persist(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.getex(key, persist=True)


@case()
def move_to_another_database(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=SOON)
    yield
    keys.move(key, 1)


@case(("", "1"))
def moved_to_a_database_that_is_watched(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key.replace("w:", "w:moved:"), "1", px=SOON)
    yield
    keys.move(key.replace("w:", "w:moved:"), 1)


@case()
def a_list_is_emptied(keys: Keys, key: str) -> Iterator[None]:
    keys.rpush(key, "1")
    keys.pexpire(key, SOON)
    yield
    keys.lpop(key)


@case(("", None), kind="list")
def a_list(keys: Keys, key: str) -> Iterator[None]:
    keys.rpush(key, "1")
    keys.pexpire(key, SOON)
    yield


@case(("", None), kind="hash")
def a_hash(keys: Keys, key: str) -> Iterator[None]:
    keys.hset(key, "field", "1")
    keys.pexpire(key, SOON)
    yield


@case(("", None), kind="set")
def a_set(keys: Keys, key: str) -> Iterator[None]:
    keys.sadd(key, "1")
    keys.pexpire(key, SOON)
    yield


@case(("", None), kind="string of 70000 bytes")
def a_value_that_is_too_long(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "x" * 70_000, px=SOON)
    yield


@case("")
def an_empty_value(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "", px=SOON)
    yield


@case("1", unknown=True)
def a_life_of_one_millisecond(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key, "1", px=1)
    yield


@case("1", "2", "3", unknown=True)
def lives_of_one_millisecond(keys: Keys, key: str) -> Iterator[None]:
    for value in "123":
        keys.set(key, value, px=1)
        yield


@case()
def nobody_watches_it(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key.replace("w:", "other:"), "1", px=SOON)
    yield


@case()
def its_name_is_too_long(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key + "x" * 8200, "1", px=SOON)
    yield


@case(("\\xff\x00", "\\xfe"))
def a_name_and_a_value_that_are_no_text(keys: Keys, key: str) -> Iterator[None]:
    keys.set(key.encode() + b"\xff\x00", b"\xfe", px=SOON)
    yield


@case(*[(f":{number}", "1") for number in range(50)])
def many_in_one_transaction(keys: Keys, key: str) -> Iterator[None]:
    with keys.pipeline(transaction=True) as pipeline:
        for number in range(50):
            pipeline.set(f"{key}:{number}", "1", px=SOON)
        pipeline.execute()
    yield


TWO_TASKS = "w:both:key"
OVERLAPPING = "w:overlap:key"


@dataclass(frozen=True)
class Lived:
    """All histories, told at the same time, and what the handlers said."""

    told: list[Told]
    log: str


@pytest.fixture(scope="module", params=["MariaDB, TCP", "SQLite, unix socket"])
def lived(
    request: pytest.FixtureRequest, mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lived]:
    tcp = request.param == "MariaDB, TCP"
    folder = tmp_path_factory.mktemp("lived")
    url = mariadb.create_database() if tcp else f"sqlite:///{folder}/qsuper.db"
    server = Redis()
    watched: Watched | None = None
    try:
        server.start()
        redis_url = server.url() if tcp else server.socket_url()
        watched = Watched(folder / "site", Rows(url), server, url=redis_url)
        watched.daemon.start()
        watched.wait_until_heard()
        live(watched)
        yield Lived(watched.told(), watched.daemon.log())
    finally:
        if watched is not None:
            watched.clean_up()
        server.remove()
        if tcp:
            mariadb.drop(url)


def live(watched: Watched) -> None:
    for name in (TWO_TASKS, OVERLAPPING):
        watched.client.set(name, "1", px=SOON)
    under_way = [one.history(watched.client, f"w:{name}") for name, one in CASES.items()]
    while under_way:
        under_way = [history for history in under_way if next(history, history) is None]
        time.sleep(STEP)
    known = [
        (f"w:{name}{suffix}", value)
        for name, one in CASES.items()
        if not one.unknown and name != moved_to_a_database_that_is_watched.__name__
        for suffix, value in one.expired
    ]
    watched.wait_until_told(known)
    # What must not fire had its deadline before that of this one.
    watched.client.set("w:last:all", "1", px=LATER)
    watched.daemon.wait_until(lambda: watched.told_of("w:last:all"), "the last one has its job")
    watched.wait_until_quiet()


@pytest.mark.parametrize("name", CASES)
def test_what_happened_to_a_key_has_its_jobs_and_no_more(lived: Lived, name: str) -> None:
    one = CASES[name]
    key = f"w:{name}"
    expected: list[Life] = [(key + suffix, value) for suffix, value in one.expired]
    told = [job for job in lived.told if job.key == key or job.key.startswith(key + ":")]
    if name == moved_to_a_database_that_is_watched.__name__:
        told = [job for job in lived.told if job.key.startswith("w:moved:")]
        assert [(job.task, job.db, job.value) for job in told] == [("expired_too", 1, "1")]
        return
    if name == a_name_and_a_value_that_are_no_text.__name__:
        told = [job for job in lived.told if job.key.startswith(key)]
    if one.unknown:
        # Which value, nobody need know; a wrong one must not be told.
        assert len(told) == len(expected), told
        assert {job.value for job in told} <= {value for _, value in expected} | {None}, told
        assert all(job.how == "observed" for job in told)
        return
    verdict = judge(expected, told)
    assert not verdict, verdict
    assert all((job.kind, job.db, job.task) == (one.kind, 0, "expired") for job in told)
    assert all(job.how == "observed" for job in told), told
    assert all(job.deadline is not None and job.started >= job.deadline for job in told)


def test_two_tasks_that_watch_a_key_have_one_job_each(lived: Lived) -> None:
    told = [one for one in lived.told if one.key == TWO_TASKS]
    assert sorted(one.task for one in told) == ["expired", "expired_too"]


def test_two_patterns_of_one_task_make_one_job(lived: Lived) -> None:
    assert [one.task for one in lived.told if one.key == OVERLAPPING] == ["expired"]


def test_a_name_that_is_too_long_is_said(lived: Lived) -> None:
    (line,) = [line for line in lived.log.splitlines() if "is not watched: 8192" in line]
    assert "w:its_name_is_too_long" in line
