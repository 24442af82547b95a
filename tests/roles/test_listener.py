"""The listener in this process, before a real Redis: what goes wrong between two of its rounds."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis

from qsuper import config
from qsuper.errors import StoreError, StoreUnavailable
from qsuper.place import Place
from qsuper.roles.listener import Listener
from qsuper.roles.role import DRAIN
from qsuper.scoreboard import clock
from qsuper.store import ledger
from tests.roles.bench import Bench
from tests.servers import Redis
from tests.wait import wait_for

LONG = 3_600_000
PATIENCE = 60.0


class Ears:
    """Listeners on one table and one Redis."""

    def __init__(self, bench: Bench, server: Redis, stack: ExitStack) -> None:
        self.bench = bench
        self.server = server
        self.client: Any = stack.enter_context(redis.Redis.from_url(server.socket_url()))
        self._stack = stack

    def listener(self, user: str = "") -> Listener:
        url = self.server.url().replace("//", f"//{user}:secret@" if user else "//")
        file = self.bench.folder / "listener.toml"
        file.write_text(
            f'[store]\nurl = "{self.bench.table.url}"\n[redis]\nurl = "{url}"\n'
            '[[watch]]\npattern = "SN*:1"\ntask = "expired"\n'
        )
        record = self.bench.record()
        record.queue = -1
        place = Place(config.load(file, environ={}), self.bench.board, record, None, "listener")
        listener = Listener(place)
        listener.boot()
        self._stack.callback(listener.leave)
        self._stack.callback(listener.link.drop)
        return listener

    def spin(self, listeners: list[Listener], until: Callable[[], object]) -> None:
        """Let them work, one round each in turn, until it is so."""

        def turn() -> object:
            for listener in listeners:
                listener._try(clock())
            return until()

        wait_for(turn, PATIENCE)

    def heard(self, *listeners: Listener) -> None:
        """Until each of them has subscribed and walked."""
        self.spin(list(listeners), lambda: all(one._session is not None for one in listeners))
        for _ in range(5):
            self.spin(list(listeners), lambda: True)

    def armed(self) -> int:
        (row,) = self.bench.table.read("SELECT COUNT(*) FROM watched_keys WHERE state = 0")
        return int(row[0])

    def jobs(self) -> int:
        (row,) = self.bench.table.read("SELECT COUNT(*) FROM queue")
        return int(row[0])


@pytest.fixture
def ears(sqlite_bench: Bench, own_redis: Callable[..., Redis]) -> Iterator[Ears]:
    with ExitStack() as stack:
        yield Ears(sqlite_bench, own_redis(), stack)


def test_a_database_that_fails_in_the_walk_hides_no_keys(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        ears.client.set(f"SN{number}:1", "x", px=LONG)
    failed: list[int] = []
    read = ledger.read

    def fail_once(*arguments: Any) -> Any:
        if not failed:
            failed.append(1)
            raise StoreUnavailable("gone for a moment")
        return read(*arguments)

    monkeypatch.setattr(ledger, "read", fail_once)
    ears.spin([ears.listener()], lambda: ears.armed() == 300)
    assert failed


def test_a_key_that_may_not_be_read_stops_no_others(ears: Ears) -> None:
    ears.client.execute_command("ACL", "SETUSER", "shop", "on", ">secret", "~SN1*", "&*", "+@all")
    listener = ears.listener("shop")
    ears.heard(listener)
    ears.client.set("SN2:1", "x", px=LONG)
    ears.client.set("SN1:1", "x", px=300)
    ears.spin([listener], lambda: ears.jobs() == 1)
    assert "key 'SN2:1' may not be read" in listener.complaint


def test_a_redis_that_becomes_a_replica_is_said_and_its_keys_fire(
    ears: Ears, own_redis: Callable[..., Redis]
) -> None:
    master = own_redis()
    listener = ears.listener()
    ears.heard(listener)
    due = int(time.time() * 1000) + 12_000
    for number in range(20):
        ears.client.set(f"SN{number}:1", "x", pxat=due)
    ears.spin([listener], lambda: ears.armed() == 20)
    # With its data, as in a failover.
    ears.client.replicaof("127.0.0.1", master.port)
    ears.spin([listener], lambda: "is a replica" in listener.complaint)
    ears.spin([listener], lambda: ears.jobs() == 20)


def test_what_had_come_before_the_connection_was_cut_counts(ears: Ears) -> None:
    listener = ears.listener()
    ears.heard(listener)
    for number in range(50):
        ears.client.set(f"SN{number}:1", "x", px=1)
    wait_for(lambda: not ears.client.exists(*(f"SN{number}:1" for number in range(50))))
    ears.client.client_kill_filter(_type="pubsub")
    ears.spin([listener], lambda: ears.jobs() == 50)


def test_short_lives_are_heard_of_after_each_subscription(ears: Ears) -> None:
    listener = ears.listener()
    for turn in range(1, 4):
        ears.heard(listener)
        sessions = listener._sessions
        ears.client.set("SN1:1", "x", px=1)
        wait_for(lambda: not ears.client.exists("SN1:1"))
        ears.spin([listener], lambda turn=turn: ears.jobs() == turn)  # type: ignore[misc]
        # Two ends of one key so near each other cannot be told apart over a subscription.
        ends = time.monotonic() + 2 * ledger.SLIP / 1000
        ears.spin([listener], lambda ends=ends: time.monotonic() > ends)  # type: ignore[misc]
        ears.client.client_kill_filter(_type="pubsub")
        ears.spin([listener], lambda before=sessions: listener._sessions > before)  # type: ignore[misc]


def test_a_listener_that_is_far_behind_makes_no_second_jobs(ears: Ears) -> None:
    quick, slow = ears.listener(), ears.listener()
    ears.heard(quick, slow)
    for number in range(60):
        ears.client.set(f"SN{number}:1", "x", px=1 + number % 20)
    ears.spin([quick], lambda: ears.jobs() == 60)
    ends = time.monotonic() + 7.0
    ears.spin([quick], lambda: time.monotonic() > ends)
    for _ in range(20):
        ears.spin([slow], lambda: True)
    assert ears.jobs() == 60


def test_one_with_nothing_to_write_leaves_although_the_database_is_away(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = ears.listener()
    ears.heard(listener)

    def away() -> Any:
        raise StoreError("away")

    monkeypatch.setattr(listener, "connection", away)
    listener.order = DRAIN
    assert listener.tick(clock()) is None
