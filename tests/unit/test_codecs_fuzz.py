"""Made-up data through every codec: round trips, damaged params, large ones."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from qsuper.errors import ParamError
from qsuper.tasks.codecs import CODECS, php
from tests.acceptance.figures import Figures

LARGE = 4 * 1024 * 1024
ROUNDS = 3000
SECONDS_MOST = 20
"""For one short param, which takes milliseconds at most; what hangs takes for ever."""

LETTERS = [*"abcxyz019 .[]&=%+_-~\\\"';:{}", "\0", "\n", "é", "中", "😀", "\uffff"]


def some_text(chosen: random.Random) -> str:
    return "".join(chosen.choices(LETTERS, k=chosen.randint(0, 8)))


def some_name(chosen: random.Random) -> str:
    return "n" + "".join(chosen.choices("abc_-é中", k=chosen.randint(0, 4)))


def some_scalar(chosen: random.Random) -> Any:
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: chosen.random() < 0.5,
        lambda: chosen.randint(-(2**63), 2**63 - 1),
        lambda: chosen.randint(-3, 3),
        lambda: chosen.uniform(-1, 1) * 10.0 ** chosen.randint(-30, 30),
        lambda: float(chosen.randint(-(10**17), 10**17)),
        lambda: some_text(chosen),
    ]
    return chosen.choice(kinds)()


def some_value(chosen: random.Random, depth: int = 4) -> Any:
    kind = chosen.random() if depth else 0
    if kind < 0.5:
        return some_scalar(chosen)
    entries = range(chosen.randint(0, 4))
    if kind < 0.75:
        return [some_value(chosen, depth - 1) for _ in entries]
    return {some_name(chosen): some_value(chosen, depth - 1) for _ in entries}


def some_arguments(chosen: random.Random) -> dict[str, Any]:
    return {some_name(chosen): some_value(chosen) for _ in range(chosen.randint(1, 4))}


def through_query(value: Any) -> Any:
    """What is left of a value: text, without None and what is empty."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return php.serialize(value)[2:-1]
    if isinstance(value, (int, str)) or value is None:
        return None if value is None else str(value)
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    left = {str(key): kept for key, entry in pairs if (kept := through_query(entry)) is not None}
    if list(left) == [str(place) for place in range(len(left))]:
        return list(left.values()) or None
    return left


def through_php(value: Any) -> Any:
    """An empty mapping is an empty list."""
    if isinstance(value, dict):
        return {key: through_php(entry) for key, entry in value.items()} or []
    return [through_php(entry) for entry in value] if isinstance(value, list) else value


THROUGH: dict[str, Callable[[dict[str, Any]], Any]] = {
    "json": lambda arguments: arguments,
    "php": lambda arguments: {name: through_php(value) for name, value in arguments.items()},
    "query": lambda arguments: {
        name: kept
        for name, value in arguments.items()
        if (kept := through_query(value)) is not None
    },
}


@pytest.mark.parametrize("codec", THROUGH)
def test_what_is_written_is_read_back_but_for_what_the_codec_says_it_loses(codec: str) -> None:
    chosen = random.Random(1)
    for _ in range(ROUNDS):
        arguments = some_arguments(chosen)
        param = CODECS[codec].encode(arguments)
        # By what it looks like: 1, 1.0 and True are equal.
        assert repr(CODECS[codec].decode(param)) == repr(([], THROUGH[codec](arguments)))


def mutated(chosen: random.Random, param: bytes) -> bytes:
    content = bytearray(param)
    for _ in range(chosen.randint(1, 4)):
        place = chosen.randrange(len(content) + 1)
        cut = chosen.choice([0, 1, 1, chosen.randint(0, 8)])
        inserted = chosen.choice(
            [b"", bytes([chosen.randrange(256)]), some_text(chosen).encode(), content[place:][:9]]
        )
        content[place : place + cut] = inserted
    return bytes(content)


@pytest.mark.parametrize("codec", CODECS)
def test_any_bytes_are_a_value_or_a_param_error(codec: str, request: pytest.FixtureRequest) -> None:
    chosen = random.Random(2)
    refused, longest = 0, 0.0
    for number in range(3 * ROUNDS):
        whole = THROUGH.get(codec) and CODECS[codec].encode(some_arguments(chosen))
        param = (
            mutated(chosen, (whole or some_text(chosen)).encode())
            if number % 3
            else chosen.randbytes(chosen.randint(0, 40))
        )
        started = time.perf_counter()
        try:
            CODECS[codec].decode(param)
        except ParamError:
            refused += 1
        longest = max(longest, time.perf_counter() - started)
    assert ROUNDS / 2 < refused < 3 * ROUNDS, "one kind of outcome is hardly there"
    assert longest < SECONDS_MOST
    Figures(request.node.name)(params=3 * ROUNDS, refused=refused, longest_ms=longest * 1000)


@pytest.mark.parametrize("codec", CODECS)
def test_a_large_param_is_written_and_read(codec: str, request: pytest.FixtureRequest) -> None:
    piece: dict[str, Any] = {"content": "héllo wörld & more " * 100}
    if codec in THROUGH:
        piece["uids"] = list(range(400_000, 400_400))
    pieces = LARGE // len((CODECS[codec].encode(piece) or "").encode())
    arguments = {name: value * pieces for name, value in piece.items()}
    started = time.perf_counter()
    param = CODECS[codec].encode(arguments)
    written = time.perf_counter()
    args, kwargs = CODECS[codec].decode(param)
    read = time.perf_counter()
    assert param is not None
    assert repr((args, kwargs)) == repr(
        ([], THROUGH[codec](arguments)) if codec in THROUGH else ([arguments["content"]], {})
    )
    Figures(request.node.name)(
        mebibytes=len(param.encode()) / 2**20, write_s=written - started, read_s=read - written
    )
