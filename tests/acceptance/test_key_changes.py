"""Every way in which a watched key can change, and what then becomes of its job."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.expiries import Life, Told, judge
from tests.acceptance.rows import Rows
from tests.acceptance.watched import Watched
from tests.servers import MariaDB, Redis
from tests.wait import wait_for

SOON = 1500
"""Milliseconds to live for what is to expire."""
LONG = 3_600_000
HOW = "observed"


@dataclass(frozen=True)
class Change:
    """What is done to the key `name`, and the lives that must each become a job of `expired`."""

    do: Callable[[Any, str], object]
    lives: Callable[[str], list[Life]] = lambda name: []
    kind: str = "string"
    part: str = field(default="k")
    """The part of the key's name that decides who watches it."""


def both(*steps: Callable[[Any, str], object]) -> Callable[[Any, str], object]:
    return lambda client, name: [step(client, name) for step in steps]


def put(value: str, ms: int) -> Callable[[Any, str], object]:
    return lambda client, name: client.set(name, value, px=ms)


def other(name: str) -> str:
    """A key beside it that nobody watches."""
    return f"x{name}"


def last(value: str | None) -> Callable[[str], list[Life]]:
    return lambda name: [(name, value)]


def expire_and_set_again(client: Any, name: str) -> None:
    client.set(name, "a", px=300)
    # Whoever asks after its end makes it expire.
    wait_for(lambda: not client.exists(name))
    client.set(name, "b", px=SOON)


def restore(client: Any, name: str) -> None:
    client.set(other(name), "a")
    client.restore(name, SOON, client.execute_command("DUMP", other(name), NEVER_DECODE=True))


CHANGES: dict[str, Change] = {
    "is set": Change(put("a", SOON), last("a")),
    "is set again": Change(both(put("a", LONG), put("b", SOON)), last("b")),
    "is set again with the same value": Change(both(put("a", LONG), put("a", SOON)), last("a")),
    "is set again after it has expired": Change(
        expire_and_set_again, lambda name: [(name, "a"), (name, "b")]
    ),
    "shall expire later": Change(
        both(put("a", 700), lambda client, name: client.pexpire(name, SOON)), last("a")
    ),
    "shall expire earlier": Change(
        both(put("a", LONG), lambda client, name: client.pexpire(name, SOON)), last("a")
    ),
    "shall have expired in the past": Change(
        both(put("a", SOON), lambda client, name: client.expire(name, -1))
    ),
    "is made to live for ever": Change(
        both(put("a", SOON), lambda client, name: client.persist(name))
    ),
    "is set without a time to live": Change(
        both(put("a", SOON), lambda client, name: client.set(name, "b"))
    ),
    "gets a new value and keeps its time": Change(
        both(put("a", SOON), lambda client, name: client.set(name, "b", keepttl=True)), last("b")
    ),
    "is appended to": Change(
        both(put("a", SOON), lambda client, name: client.append(name, "b")), last("ab")
    ),
    "is deleted": Change(both(put("a", SOON), lambda client, name: client.delete(name))),
    "is unlinked": Change(both(put("a", SOON), lambda client, name: client.unlink(name))),
    "is taken": Change(both(put("a", SOON), lambda client, name: client.getdel(name))),
    "is renamed to what nobody watches": Change(
        both(put("a", SOON), lambda client, name: client.rename(name, other(name)))
    ),
    "is renamed from what nobody watches": Change(
        lambda client, name: [
            client.set(other(name), "a", px=SOON),
            client.rename(other(name), name),
        ],
        last("a"),
    ),
    "is renamed over": Change(
        lambda client, name: [
            client.set(name, "a", px=LONG),
            client.set(other(name), "b", px=SOON),
            client.rename(other(name), name),
        ],
        last("b"),
    ),
    "is copied": Change(
        both(put("a", SOON), lambda client, name: client.copy(name, f"{name}.2")),
        lambda name: [(name, "a"), (f"{name}.2", "a")],
    ),
    "is restored": Change(restore, last("a")),
    "is read and given a time to live": Change(
        both(put("a", LONG), lambda client, name: client.getex(name, px=SOON)), last("a")
    ),
    "is read and made to live for ever": Change(
        both(put("a", SOON), lambda client, name: client.getex(name, persist=True))
    ),
    "is a list and emptied": Change(
        lambda client, name: [
            client.rpush(name, "a"),
            client.pexpire(name, SOON),
            client.lpop(name),
        ]
    ),
    "is a hash": Change(
        lambda client, name: [client.hset(name, "a", "b"), client.pexpire(name, SOON)],
        last(None),
        kind="hash",
    ),
    "is a set": Change(
        lambda client, name: [client.sadd(name, "a", "b"), client.pexpire(name, SOON)],
        last(None),
        kind="set",
    ),
    "has two patterns of one task": Change(put("a", SOON), last("a"), part="overlap"),
    "is moved to another database": Change(
        both(put("a", SOON), lambda client, name: client.move(name, 1)), part="moved"
    ),
    "has two tasks": Change(put("a", SOON), last("a"), part="both"),
}


@pytest.fixture(scope="module")
def told(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Told]]:
    """What was told after all of it was done, each to a key of its own, at one daemon."""
    server, url = Redis(), mariadb.create_database()
    with ExitStack() as stack:
        stack.callback(server.remove)
        server.start()
        folder: Path = tmp_path_factory.mktemp("w")
        here = Watched(folder, Rows(url), server)
        stack.callback(here.clean_up)
        here.daemon.start()
        here.wait_until_heard()
        for change, what in CHANGES.items():
            what.do(here.client, name_of(change))
        here.client.set("x:nobody", "a", px=SOON)
        here.wait_until_told([life for change in CHANGES for life in lives_of(change)])
        here.wait_until_quiet()
        yield here.told()
    mariadb.drop(url)


def name_of(change: str) -> str:
    return f"w:{CHANGES[change].part}:{change.replace(' ', '-')}"


def lives_of(change: str) -> list[Life]:
    return CHANGES[change].lives(name_of(change))


@pytest.mark.parametrize("change", CHANGES)
def test_a_key_that(change: str, told: list[Told]) -> None:
    name = name_of(change)
    mine = [one for one in told if one.key in (name, f"{name}.2") and one.task == "expired"]
    assert not judge(lives_of(change), mine)
    assert {one.kind for one in mine} <= {CHANGES[change].kind}
    assert {one.how for one in mine} <= {HOW}
    assert all(one.late is not None and one.late >= 0 for one in mine)


def test_the_job_of_a_moved_key_is_that_of_its_new_database(told: list[Told]) -> None:
    name = name_of("is moved to another database")
    assert [(one.task, one.db, one.value) for one in told if one.key == name] == [
        ("expired_too", 1, "a")
    ]


def test_each_task_that_watches_a_key_gets_one_job(told: list[Told]) -> None:
    name = name_of("has two tasks")
    assert sorted(one.task for one in told if one.key == name) == ["expired", "expired_too"]


def test_a_key_that_nobody_watches_makes_no_job(told: list[Told]) -> None:
    assert not [one for one in told if one.key == "x:nobody"]
    assert [one for one in told if one.key == name_of("is set")], "and the others do"
