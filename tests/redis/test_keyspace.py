"""Looks at keys: what is there, until when, and what must not be fetched."""

import time
from collections.abc import Callable

import pytest
import redis

from qsuper.errors import RedisError
from qsuper.redis import keyspace
from qsuper.redis.keyspace import FOR_EVER, FORBIDDEN, GONE, VALUE_BYTES_MOST, Seen
from qsuper.redis.server import Server
from tests.servers import Redis
from tests.wait import wait_for

HOUR = 3_600_000
MEGABYTE = 1 << 20


def look(server: Server, *names: bytes) -> list[Seen]:
    return keyspace.look(server, 0, names)


def test_a_key_with_a_time_to_live_one_without_and_none(
    server: Server, client: "redis.Redis"
) -> None:
    before = int(time.time() * 1000)
    client.set("SN1", "unpaid", px=HOUR)
    client.set("SN2", "x")
    alive, for_ever, gone = look(server, b"SN1", b"SN2", b"SN3")
    assert before + HOUR <= alive.deadline <= int(time.time() * 1000) + HOUR
    assert (alive.value, alive.kind, alive.armed) == (b"unpaid", "string", True)
    assert (for_ever.deadline, for_ever.armed, for_ever.gone) == (FOR_EVER, False, False)
    assert (gone.deadline, gone.armed, gone.gone) == (GONE, False, True)
    assert look(server) == []


def test_every_kind_of_value_is_named_and_none_but_strings_is_kept(
    server: Server, client: "redis.Redis"
) -> None:
    client.hset("hash", "a", "b")
    client.rpush("list", "a")
    client.sadd("set", "a")
    client.zadd("zset", {"a": 1})
    client.xadd("stream", {"a": "b"})
    client.setbit("string", 7, 1)
    client.set("empty", "")
    kinds = ["hash", "list", "set", "zset", "stream"]
    names = [*kinds, "string", "empty"]
    for name in names:
        client.pexpire(name, HOUR)
    seen = dict(zip(names, look(server, *map(str.encode, names)), strict=True))
    assert all(one.armed for one in seen.values())
    assert {name: (seen[name].kind, seen[name].value) for name in kinds} == {
        name: (name, None) for name in kinds
    }
    assert (seen["string"].value, seen["string"].kind) == (b"\x01", "string")
    assert (seen["empty"].value, seen["empty"].kind) == (b"", "string")


def test_a_value_is_kept_up_to_a_size_and_measured_beyond_it(
    server: Server, client: "redis.Redis"
) -> None:
    client.set("fits", b"x" * VALUE_BYTES_MOST, px=HOUR)
    client.set("does not", b"x" * (VALUE_BYTES_MOST + 1), px=HOUR)
    client.setrange("huge", 100 * MEGABYTE - 1, b"x")
    client.pexpire("huge", HOUR)
    before = sent(client)
    fits, not_quite, huge = look(server, b"fits", b"does not", b"huge")
    assert fits.value == b"x" * VALUE_BYTES_MOST
    assert (not_quite.value, not_quite.kind) == (None, "string of 65537 bytes")
    assert (huge.value, huge.kind) == (None, f"string of {100 * MEGABYTE} bytes")
    assert sent(client) - before < MEGABYTE


def test_hundreds_of_keys_are_looked_at_in_one_go(server: Server, client: "redis.Redis") -> None:
    names = [b"SN%d" % number for number in range(500)]
    pipeline = client.pipeline()
    for name in names[:400]:
        pipeline.set(name, name, px=HOUR)
    pipeline.execute()
    seen = look(server, *names)
    assert [one.value for one in seen[:400]] == names[:400]
    assert {one.deadline for one in seen[400:]} == {GONE}


def test_a_look_makes_a_key_expire_that_is_due(own_redis: Callable[..., Redis]) -> None:
    here = own_redis(enable_debug_command="yes")
    server = Server(here.url())
    with redis.Redis.from_url(here.socket_url()) as client:
        client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        client.set("SN1", "x", px=20)
        deadline = look(server, b"SN1")[0].deadline
        wait_for(lambda: server.time() * 1000 > deadline + 1)
        assert client.info("stats")["expired_keys"] == 0
        assert look(server, b"SN1") == [Seen(GONE, b"")]
        assert client.info("stats")["expired_keys"] == 1
    server.close()


def test_a_walk_finds_every_key_of_a_pattern(server: Server, client: "redis.Redis") -> None:
    client.mset({f"SN{number}:1": "" for number in range(3000)})
    client.mset({f"other{number}": "" for number in range(3000)})
    found, cursor = set[bytes](), 0
    while True:
        cursor, names = keyspace.scan(server, 0, b"SN*:1", cursor)
        found |= set(names)
        if not cursor:
            break
    assert found == {b"SN%d:1" % number for number in range(3000)}


def test_a_key_that_this_user_may_not_look_at_hides_no_others(user: Callable[..., Server]) -> None:
    server = user("~SN*", "+@all")
    gone, forbidden = look(server, b"SN1", b"secret")
    assert gone.gone
    assert forbidden.deadline == FORBIDDEN


def test_a_command_that_this_user_may_not_give_is_an_error_in_our_words(
    user: Callable[..., Server],
) -> None:
    with pytest.raises(RedisError, match=r"^redis://\S+: .*[Nn]o permissions.*docs/watching.md"):
        look(user("~SN*", "+@all", "-pexpiretime"), b"SN1")


def sent(client: "redis.Redis") -> int:
    return int(client.info("stats")["total_net_output_bytes"])
