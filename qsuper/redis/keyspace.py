"""Keys as Redis has them now. To look at a key that is due makes Redis expire it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from qsuper.redis.server import Server

VALUE_BYTES_MOST = 65_536
"""A longer value is not kept."""
NAME_BYTES_MOST = 8_192
"""A key of a longer name is not watched."""
SCAN_STEP = 1000
GONE, FOR_EVER, FORBIDDEN = -2, -1, -3


@dataclass(frozen=True, slots=True)
class Seen:
    """One key at one moment."""

    deadline: int
    """Unix time in ms, `GONE`, `FOR_EVER` for a key without one, or `FORBIDDEN` to look at."""
    value: bytes | None = None
    """Its value where that is a string and not too long."""
    kind: str = "string"
    """Its type; `string of 104857600 bytes` for one that is too long."""

    @property
    def armed(self) -> bool:
        return self.deadline >= 0

    @property
    def gone(self) -> bool:
        return self.deadline == GONE


def look(server: Server, db: int, names: Sequence[bytes]) -> list[Seen]:
    """The keys of these names; raises `RedisError`."""
    if not names:
        return []
    # The value first: a key may expire between the two, and "" would pass for its value.
    answers = _ask(server, db, [(_value_of(name), ("PEXPIRETIME", name)) for name in names])
    seen = [_seen(deadline, value) for value, deadline in zip(*[iter(answers)] * 2, strict=True)]
    odd = [place for place, one in enumerate(seen) if one.armed and one.value is None]
    if odd:
        kinds = _ask(
            server, db, [(("STRLEN", names[place]), ("TYPE", names[place])) for place in odd]
        )
        for place, (length, kind) in zip(odd, zip(*[iter(kinds)] * 2, strict=True), strict=True):
            seen[place] = Seen(seen[place].deadline, None, _kind(kind, length))
    return seen


def scan(server: Server, db: int, pattern: bytes, cursor: int) -> tuple[int, list[bytes]]:
    """One step of a walk over the keys of a pattern: the next cursor, 0 at its end, and keys."""
    with server.words():
        after, names = server.client(db).scan(cursor, match=pattern, count=SCAN_STEP)
    return int(after), list(names)


def _value_of(name: bytes) -> tuple[Any, ...]:
    # One byte more than is kept tells that there are more.
    return ("GETRANGE", name, 0, VALUE_BYTES_MOST)


def _ask(server: Server, db: int, pairs: Sequence[Sequence[tuple[Any, ...]]]) -> list[Any]:
    """Many commands in one go; the first answer of a pair may be an error of its key's own."""
    with server.words():
        pipeline = server.client(db).pipeline(transaction=False)
        for pair in pairs:
            for command in pair:
                pipeline.execute_command(*command)
        answers: list[Any] = pipeline.execute(raise_on_error=False)
        for answer in answers[1::2]:
            if isinstance(answer, Exception) and not _is_of_key(answer):
                raise answer
    return answers


def _is_of_key(error: Exception) -> bool:
    """Whether this user may not look at this key, but at others."""
    return isinstance(error, redis.exceptions.NoPermissionError) and "keys" in str(error)


def _seen(deadline: Any, value: Any) -> Seen:
    if isinstance(deadline, Exception):
        return Seen(FORBIDDEN)
    if isinstance(value, redis.ResponseError) or len(value) > VALUE_BYTES_MOST:
        return Seen(deadline)
    return Seen(deadline, value)


def _kind(kind: bytes, length: Any) -> str:
    name = kind.decode("ascii", "replace")
    return f"string of {length} bytes" if name == "string" else name
