"""Our reading of a pattern against Redis' own: `KEYS` is asked."""

import random
from collections.abc import Iterator

import pytest
import redis

from qsuper.tasks.glob import compile_glob
from tests.servers import Redis

PATTERNS_MADE_UP = 400
LETTERS = [bytes([one]) for one in b"abcAz-][^\\*?.\n\x00\x80\xff"]
# As an event's channel has it: before the key stands something that the pattern repeats.
PREFIX = b"k:"

PATTERNS = [
    *(b"*", b"**", b"***a", b"a*", b"*a*", b"*a*b*c", b"?", b"??", b"a?c", b"SN*:1", b"*:1", b""),
    *(b"[abc]", b"[a-c]x", b"[c-a]x", b"[^a]", b"[^a-c]*", b"[]", b"[^]", b"[]a]", b"[^]a]"),
    *(b"[a", b"[^a", b"[", b"[^", b"[a-", b"[a-]", b"[a-]x", b"[-a]", b"[a-c-z]", b"[[]", b"[^^]"),
    *(rb"\*", rb"\a", b"\\", rb"a\\", rb"[\]]", rb"[\a-c]", rb"[a-\]", b"[\\", rb"[^\^]", rb"\[a]"),
    *(b"a\nb", b"a*b", b"a.b", b"(a)", b"a|b", b"a+", b"^a$", b"{a}", b"\x80*", b"[\x80-\xff]*"),
    *(b"[\xff-\x80]", b"\xc3\xa9*", b"[\xc3\xa0-\xc3\xa9]*", b"\x00", b"*\x00*", b"a*a*a*b"),
]
NAMES = {
    *(b"", b"a", b"b", b"c", b"ab", b"abc", b"aac", b"ax", b"bx", b"dx", b"SN1:1", b"SN:1", b"SN1"),
    *(b"*", b"?", b"[", b"]", b"^", b"-", b"\\", b"[a", b"[a]", b"a]", b"-]", b"a-", b"a\\", b"^a"),
    *(b"a\nb", b"\n", b"a.b", b"a|b", b"aa", b"(a)", b"^a$", b"{a}", b"\x80", b"\xff", b"\x80x"),
    *(b"\xc3\xa9t\xc3\xa9", b"\x00", b"a\x00b", b"aaab", b"aabab", b"]x", b"-x", b"SN1:1\n"),
}


@pytest.fixture(scope="module")
def names() -> set[bytes]:
    chosen = random.Random(1)
    return NAMES | {b"".join(chosen.choices(LETTERS, k=chosen.randint(0, 4))) for _ in range(800)}


@pytest.fixture(scope="module")
def client(redis_server: Redis, names: set[bytes]) -> Iterator["redis.Redis"]:
    redis_server.empty()
    with redis.Redis.from_url(redis_server.socket_url()) as client:
        client.mset({PREFIX + name: b"" for name in names})
        yield client


def crosses(pattern: bytes) -> bool:
    """Whether a range in it may go from below 0x80 to above: processors read that differently."""
    return any(
        (pattern[place - 1] < 0x80) != (pattern[place + 1] < 0x80)
        for place in range(1, len(pattern) - 1)
        if pattern[place : place + 1] == b"-"
    )


def theirs(client: "redis.Redis", pattern: bytes) -> set[bytes]:
    found: list[bytes] = client.keys(PREFIX + pattern)  # type: ignore[assignment]
    return {name.removeprefix(PREFIX) for name in found}


def ours(names: set[bytes], pattern: bytes) -> set[bytes]:
    compiled = compile_glob(pattern)
    return {name for name in names if compiled.fullmatch(name)}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_read_as_redis_reads_it(
    pattern: bytes, client: "redis.Redis", names: set[bytes]
) -> None:
    assert ours(names, pattern) == theirs(client, pattern)


def test_hundreds_of_patterns_that_nobody_would_write_are_read_as_redis_reads_them(
    client: "redis.Redis", names: set[bytes]
) -> None:
    chosen = random.Random(2)
    wrong = []
    matched = 0
    for _ in range(PATTERNS_MADE_UP):
        pattern = b"".join(chosen.choices([*LETTERS, b"[", b"*", b"?"], k=chosen.randint(1, 6)))
        found = theirs(client, pattern)
        matched += bool(found)
        if not crosses(pattern) and ours(names, pattern) != found:
            wrong.append(pattern)
    assert not wrong
    assert matched > PATTERNS_MADE_UP / 10, "hardly one of them fits anything"


@pytest.mark.parametrize("pattern", [b"[a-\x80]", b"[\xff-A]", b"[^a-\x80]", b"[^\xff-]*"])
def test_what_redis_may_tell_of_under_such_a_range_is_ours(
    pattern: bytes, client: "redis.Redis", names: set[bytes]
) -> None:
    assert theirs(client, pattern) <= ours(names, pattern)


def test_a_long_key_and_many_stars_are_told_apart_at_once() -> None:
    """A plain translation of the stars would be at it for longer than the test run."""
    assert not compile_glob(b"*a" * 30 + b"b").fullmatch(b"a" * 8192)
    assert compile_glob(b"*a" * 30 + b"*b").fullmatch(b"a" * 8192 + b"b")
