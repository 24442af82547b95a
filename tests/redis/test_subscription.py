"""What Redis pushes is heard once, in order, and its end is noticed."""

from collections.abc import Callable, Iterator

import pytest
import redis

from qsuper.errors import RedisUnavailable
from qsuper.redis.server import Server
from qsuper.redis.subscription import EVENTS_MOST, Call, Event, Message, Subscription
from qsuper.redis.waking import CHANNEL
from tests.redis.conftest import redis_cli
from tests.servers import Redis
from tests.wait import wait_for


@pytest.fixture
def heard(server: Server, client: "redis.Redis") -> Iterator[Subscription]:
    """Two patterns that have much in common."""
    subscription = Subscription(server, [(0, b"SN*"), (0, b"*:1"), (3, b"*")])
    yield subscription
    subscription.close()


def whats(messages: list[Message]) -> list[tuple[int, bytes, bytes]]:
    return [(one.db, one.name, one.what) for one in messages if isinstance(one, Event)]


def test_an_event_that_fits_two_patterns_is_heard_once(
    heard: Subscription, client: "redis.Redis"
) -> None:
    client.set("SN1:1", "x", px=100_000)
    client.set("SN1:1", "x")
    client.set("SN1:1", "x")
    client.set("SN2", "x")
    client.set("X:1", "x")
    client.set("X", "x")
    assert whats(heard.barrier()) == [
        (0, b"SN1:1", b"set"),
        (0, b"SN1:1", b"expire"),
        (0, b"SN1:1", b"set"),
        (0, b"SN1:1", b"set"),
        (0, b"SN2", b"set"),
        (0, b"X:1", b"set"),
    ]


def test_all_that_happened_before_the_barrier_is_behind_it(
    heard: Subscription, client: "redis.Redis"
) -> None:
    for number in range(300):
        name = b"SN%d" % (number % 3)
        client.set(name, number)
        assert whats(heard.barrier()) == [(0, name, b"set")]
    assert heard.barrier() == []
    assert heard.messages() == []
    assert not heard.pending


def test_names_of_any_bytes_and_other_databases(heard: Subscription, redis_server: Redis) -> None:
    name = bytes(range(256)) * 4
    with redis.Redis.from_url(redis_server.socket_url(3)) as client:
        client.set(name, "x")
        client.delete(name)
    assert whats(heard.barrier()) == [(3, name, b"set"), (3, name, b"del")]


def test_so_many_messages_are_taken_at_once_and_the_rest_later(
    heard: Subscription, client: "redis.Redis"
) -> None:
    pipeline = client.pipeline(transaction=False)
    for number in range(2 * EVENTS_MOST + 5):
        pipeline.set(f"SN{number}", "")
    pipeline.execute()
    found, sizes = list[Message](), list[int]()
    while len(found) < 2 * EVENTS_MOST + 5:
        messages = heard.messages()
        found += messages
        sizes.append(len(messages))
    assert max(sizes) <= EVENTS_MOST
    assert [name for _, name, _ in whats(found)] == [b"SN%d" % one for one in range(len(found))]


def test_a_call_to_wake_is_heard(heard: Subscription, client: "redis.Redis") -> None:
    client.publish(CHANNEL.decode(), "mail 3")
    assert heard.barrier() == [Call(b"mail 3")]


def test_what_the_user_may_not_hear_is_said_and_the_rest_is_heard(
    user: Callable[..., Server], client: "redis.Redis"
) -> None:
    server = user("~*", "+@all", "resetchannels", "&qsuper:wake", "&__keyspace@0__:SN*")
    subscription = Subscription(server, [(0, b"SN*"), (0, b"XX*")])
    client.set("SN1", "x")
    client.set("XX1", "x")
    client.publish(CHANNEL.decode(), "mail")
    assert subscription.barrier() == [Event(0, b"SN1", b"set"), Call(b"mail")]
    assert subscription.refused == ["&__keyspace@0__:XX*"]
    subscription.close()


def test_one_that_may_hear_nothing_at_all_still_knows_whether_the_server_lives(
    user: Callable[..., Server], client: "redis.Redis"
) -> None:
    subscription = Subscription(user("~*", "+@all", "resetchannels"), [(0, b"SN*")])
    assert subscription.refused == ["&__keyspace@0__:SN*"]
    assert subscription.barrier() == []
    redis_cli(client, "CLIENT", "KILL", "USER", "shop")
    with pytest.raises(RedisUnavailable):
        subscription.barrier()
    subscription.close()


@pytest.mark.parametrize("way", ["barrier", "messages"])
def test_a_connection_that_was_killed_is_an_error_in_our_words(
    way: str, heard: Subscription, client: "redis.Redis"
) -> None:
    redis_cli(client, "CLIENT", "KILL", "TYPE", "pubsub")
    with pytest.raises(RedisUnavailable, match=r"^redis://127\.0\.0\.1:\d+/0: \S"):
        wait_for(getattr(heard, way))


def test_a_server_that_freezes_is_an_error_after_a_while(redis_server: Redis) -> None:
    server = Server(redis_server.url(), timeout=0.5)
    subscription = Subscription(server, [(0, b"SN*")])
    redis_server.freeze()
    try:
        with pytest.raises(RedisUnavailable, match=r"[Tt]imeout"):
            subscription.barrier()
    finally:
        redis_server.thaw()
    subscription.close()
    server.close()
