"""Params in the form of PHP's `serialize`: plain data only."""

import re
from collections.abc import Mapping
from typing import Any

from qsuper.errors import ParamError
from qsuper.tasks.codecs.codec import text_of
from qsuper.tasks.codecs.php_values import INDEX_LEAST, INDEX_MOST, float_text, is_list, key_of

DEPTH_MOST = 100
"""Arrays within arrays."""
COUNT_MOST = 1_000_000
"""Entries of all arrays together."""
DIGITS_MOST = 20
"""Of an integer, its sign included."""

_TOKEN = re.compile(
    rb"N;"
    rb"|b:([01]);"
    rb"|i:([+-]?[0-9]+);"
    rb"|d:([+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,5})?"
    rb"|-?INF|NAN);"
    rb'|s:([0-9]{1,9}):"'
    rb"|a:([0-9]{1,9}):\{"
)
_NULL, _BOOL, _INT, _FLOAT, _STRING, _ARRAY = None, 1, 2, 3, 4, 5
"""Which group of `_TOKEN` has matched."""
_REFUSED = {
    b"O:": "an object",
    b"C:": "an object",
    b"E:": "an enum",
    b"R:": "a reference",
    b"r:": "a reference",
    b"S:": "an escaped string",
}


class Php:
    """An array with names is named arguments, a list positional ones, anything else the only one.

    Written is what `serialize` writes, read what `unserialize` reads; refused is what would make
    objects or references there, and what it would only warn of: an integer of more than 64 bits,
    something after the value. A tuple and a mapping with the keys 0, 1, 2, … come back as lists,
    an empty mapping as an empty list, and a key such as "5" as the integer: PHP has one kind of
    array. Strings are UTF-8; infinities and NaN are kept.
    """

    exact = False

    def encode(self, arguments: Mapping[str, Any]) -> str | None:
        if not arguments:
            return None
        for name in arguments:
            if not isinstance(key_of(name), str):
                raise ParamError(
                    f"the codec php cannot write an argument that is named {name!r:.80}"
                )
        return text_of(serialize(arguments))

    def decode(self, param: Any) -> tuple[list[Any], dict[str, Any]]:
        if param is None:
            return [], {}
        value = unserialize(text_of(param))
        if isinstance(value, list):
            return value, {}
        if not isinstance(value, dict):
            return [value], {}
        for key in value:
            if not isinstance(key, str):
                raise ParamError(f"the param is an array whose key {key} is no argument's name")
        return [], value


def serialize(value: Any) -> str:
    """What PHP's `serialize` writes for it; raises `ParamError`."""
    writer = _Writer()
    try:
        writer.write(value, 0)
    except UnicodeEncodeError:
        raise ParamError("the param is not UTF-8: it holds half a surrogate pair") from None
    return "".join(writer.parts)


def unserialize(text: str) -> Any:
    """What PHP's `unserialize` reads in it, arrays as lists and dicts; raises `ParamError`."""
    return _Reader(text.encode()).whole()


class _Writer:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self._count = 0

    def write(self, value: Any, depth: int) -> None:
        match value:
            case None:
                self.parts.append("N;")
            case bool():
                self.parts.append(f"b:{value:d};")
            case int():
                self._int(value)
            case float():
                self.parts.append(f"d:{float_text(value)};")
            case str():
                self._string(value)
            case list() | tuple():
                self._array(dict(enumerate(value)), depth + 1)
            case Mapping():
                self._array({_key(key): entry for key, entry in value.items()}, depth + 1)
            case _:
                raise ParamError(f"the codec php cannot write a value of {type(value).__name__}")

    def _int(self, value: int) -> None:
        if not INDEX_LEAST <= value <= INDEX_MOST:
            raise ParamError("the codec php cannot write an integer of more than 64 bits")
        self.parts.append(f"i:{value:d};")

    def _string(self, text: str) -> None:
        self.parts.append(f's:{len(text.encode())}:"{text}";')

    def _array(self, entries: dict[int | str, Any], depth: int) -> None:
        self._count += len(entries)
        _check(depth, self._count)
        self.parts.append(f"a:{len(entries)}:{{")
        for key, entry in entries.items():
            if isinstance(key, int):
                self._int(key)
            else:
                self._string(key)
            self.write(entry, depth)
        self.parts.append("}")


class _Reader:
    """Goes through the text once, from left to right."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0
        self._count = 0

    def whole(self) -> Any:
        value = self._value(0)
        if self._place != len(self._content):
            raise self._wrong("more follows the value")
        return value

    def _value(self, depth: int) -> Any:
        token = self._token()
        kind = token.lastindex
        if kind == _STRING:
            return self._string(int(token[_STRING]))
        if kind == _INT:
            return self._int(token[_INT])
        if kind == _ARRAY:
            return self._array(int(token[_ARRAY]), depth + 1)
        if kind == _FLOAT:
            return float(token[_FLOAT])
        return None if kind is _NULL else token[_BOOL] == b"1"

    def _token(self) -> re.Match[bytes]:
        token = _TOKEN.match(self._content, self._place)
        if token is None:
            start = self._content[self._place : self._place + 2]
            if what := _REFUSED.get(start):
                raise ParamError(
                    f"the param holds {what} ({start.decode()}) at byte {self._place}: the codec"
                    " php reads plain data only"
                )
            raise self._wrong("no value begins")
        self._place = token.end()
        return token

    def _int(self, digits: bytes) -> int:
        if len(digits) > DIGITS_MOST or not INDEX_LEAST <= (value := int(digits)) <= INDEX_MOST:
            raise self._wrong("an integer of more than 64 bits ends")
        return value

    def _string(self, length: int) -> str:
        start, end = self._place, self._place + length
        if self._content[end : end + 2] != b'";':
            raise self._wrong(f"a string of another length than {length} begins")
        self._place = end + 2
        return self._content[start:end].decode()

    def _array(self, count: int, depth: int) -> Any:
        self._count += count
        _check(depth, self._count)
        entries: dict[int | str, Any] = {}
        for _ in range(count):
            key = self._key()
            entries[key] = self._value(depth)
        if self._content[self._place : self._place + 1] != b"}":
            raise self._wrong(f"an array of {count} does not end")
        self._place += 1
        return list(entries.values()) if is_list(entries) else entries

    def _key(self) -> int | str:
        token = self._token()
        if token.lastindex == _INT:
            return self._int(token[_INT])
        if token.lastindex == _STRING:
            return key_of(self._string(int(token[_STRING])))
        raise self._wrong("a key that is neither integer nor string ends")

    def _wrong(self, what: str) -> ParamError:
        return ParamError(f"the param is not in PHP's serialize form: {what} at byte {self._place}")


def _key(key: Any) -> int | str:
    if isinstance(key, str):
        return key_of(key)
    if isinstance(key, int):
        return int(key)
    raise ParamError(f"the codec php writes keys of str and int, not of {type(key).__name__}")


def _check(depth: int, count: int) -> None:
    if depth > DEPTH_MOST:
        raise ParamError(f"the codec php takes {DEPTH_MOST} arrays within each other, no more")
    if count > COUNT_MOST:
        raise ParamError(f"the codec php takes {COUNT_MOST} entries of arrays, no more")
