"""Params as query strings: what PHP's `http_build_query` writes and its `parse_str` reads."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from qsuper.errors import ParamError
from qsuper.tasks.codecs.codec import BYTES_MOST, text_of
from qsuper.tasks.codecs.php_values import INDEX_LEAST, INDEX_MOST, float_text, is_list, key_of

DEPTH_MOST = 64
"""Brackets after a name; PHP's `max_input_nesting_level`."""
COUNT_MOST = 1_000_000
"""Values of a param. A PHP program reads the first 1,000 of them unless its `max_input_vars`
says otherwise."""
_WHITESPACE = " \t\n\v\f\r"
_MANGLED = str.maketrans(" .[", "___")
"""What a variable of PHP cannot be named with."""

Path = list[str | None]
"""Where a value stands: names from the outermost to the innermost; None is "at the end"."""


class Query:
    """Each name is a named argument.

    Every scalar comes back as a str: True as "1", False as "0", a float as PHP writes it with
    `precision = -1` (its default of 14 digits rounds). None and what is empty is not written at
    all. Whether a list or a dict comes back is told by the keys: 0, 1, 2, … are a list, so a list
    with a None in it becomes a dict. Keys come back as str. A name or key that would come back
    as another one is refused.

    Read is whatever `parse_str` reads, `uids[]=6&uids[]=7&` as well as `uids[0]=6`: dots and
    spaces of a name become `_`, the last of equal names counts, a value without a name is
    ignored. Where PHP cuts off (too many, too deep, a NUL in a name) this refuses.
    """

    exact = False

    def encode(self, arguments: Mapping[str, Any]) -> str | None:
        if not arguments:
            return None
        return text_of(build_query(arguments))

    def decode(self, param: Any) -> tuple[list[Any], dict[str, Any]]:
        return [], ({} if param is None else parse_query(text_of(param)))


def build_query(arguments: Mapping[str, Any]) -> str:
    """What PHP's `http_build_query` writes; raises `ParamError`."""
    writer = _Writer()
    try:
        for name, value in arguments.items():
            if path_of(name) != [name]:
                raise ParamError(
                    f"the codec query cannot write an argument that is named {name!r:.80}"
                )
            writer.write(_quoted(name), value, 0)
    except UnicodeEncodeError:
        raise ParamError("the param is not UTF-8: it holds half a surrogate pair") from None
    return "&".join(writer.pairs)


def parse_query(text: str) -> dict[str, Any]:
    """What PHP's `parse_str` reads; raises `ParamError`."""
    if text.count("&") > COUNT_MOST:
        raise _too_many()
    if "\0" in text:
        raise ParamError("the param is no query string: it holds a NUL")
    found = _Array()
    try:
        for pair in text.split("&"):
            name, _, value = pair.partition("=")
            if path := path_of(unquote_plus(name, errors="strict")):
                found.put(path, unquote_plus(value, errors="strict"))
    except UnicodeDecodeError as error:
        raise ParamError(f"the param is not UTF-8: {error.reason} after {pair!r:.80}") from None
    return found.named()


def path_of(name: str) -> Path:
    """The path that a name with brackets stands for; empty when it names nothing."""
    if "\0" in name:
        raise ParamError(f"the param has a NUL in the name {name!r:.80}")
    name = name.lstrip(" ")
    place = name.find("[")
    if place < 0:
        return [name.translate(_MANGLED)] if name else []
    if place == 0:
        return []
    path: Path = [name[:place].translate(_MANGLED)]
    while name.startswith("[", place):
        if len(path) > DEPTH_MOST:
            raise _too_deep()
        start = place + 1
        inside = start + (name[start : start + 1] in _WHITESPACE if start < len(name) else 0)
        end = name.find("]", inside)
        if end < 0:
            return path if len(path) > 1 else [name.translate(_MANGLED)]
        path.append(None if end == inside else name[start:end])
        place = end + 1
    return path


class _Writer:
    def __init__(self) -> None:
        self.pairs: list[str] = []
        self._size = 0
        self._count = 0

    def write(self, name: str, value: Any, depth: int) -> None:
        self._count += 1
        if self._count > COUNT_MOST:
            raise _too_many()
        if isinstance(value, (list, tuple)):
            self._entries(name, enumerate(value), depth + 1)
        elif isinstance(value, Mapping):
            self._entries(name, value.items(), depth + 1)
        elif value is not None:
            self._pair(f"{name}={_quoted(_scalar(value))}")

    def _entries(self, name: str, entries: Iterable[tuple[Any, Any]], depth: int) -> None:
        if depth > DEPTH_MOST:
            raise _too_deep()
        for key, value in entries:
            self.write(f"{name}%5B{_quoted(_key(key))}%5D", value, depth)

    def _pair(self, pair: str) -> None:
        self.pairs.append(pair)
        # A long name stands before each of its values: what is written may be much larger than
        # what is given.
        self._size += len(pair) + 1
        if self._size > BYTES_MOST:
            raise ParamError(f"the param is larger than {BYTES_MOST} bytes")


class _Array:
    """An array of PHP while it grows."""

    def __init__(self) -> None:
        self._entries: dict[int | str, Any] = {}
        self._next = INDEX_LEAST

    def put(self, path: Path, value: str) -> None:
        array = self
        for name in path[:-1]:
            key = array._key(name)
            inner = array._entries.get(key)
            if not isinstance(inner, _Array):
                inner = array._entries[key] = _Array()
            array = inner
        array._entries[array._key(path[-1])] = value

    def _key(self, name: str | None) -> int | str:
        if name is not None:
            key = key_of(name)
        elif self._next <= INDEX_MOST:
            key = self._next if self._next > INDEX_LEAST else 0
        else:
            raise ParamError(f"the param has no index left after [{INDEX_MOST}]")
        if isinstance(key, int):
            self._next = max(self._next, key + 1)
        return key

    def named(self) -> dict[str, Any]:
        return {str(key): _plain(value) for key, value in self._entries.items()}

    def listed(self) -> list[Any] | dict[str, Any]:
        if is_list(self._entries):
            return [_plain(value) for value in self._entries.values()]
        return self.named()


def _plain(value: Any) -> Any:
    return value.listed() if isinstance(value, _Array) else value


def _key(key: Any) -> str:
    if isinstance(key, int):
        return _digits(key)
    if not isinstance(key, str):
        raise ParamError(f"the codec query writes keys of str and int, not of {type(key).__name__}")
    if path_of(f"a[{key}]") != ["a", key]:
        raise ParamError(f"the codec query cannot write the key {key!r:.80}")
    return key


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return _digits(value)
    if isinstance(value, float):
        return float_text(value)
    raise ParamError(f"the codec query cannot write a value of {type(value).__name__}")


def _digits(value: int) -> str:
    try:
        return f"{value:d}"
    except ValueError as error:
        raise ParamError(f"the codec query cannot write an integer: {error}") from None


def _quoted(text: str) -> str:
    return quote_plus(text).replace("~", "%7E")


def _too_many() -> ParamError:
    return ParamError(f"the codec query takes {COUNT_MOST} values, no more")


def _too_deep() -> ParamError:
    return ParamError(f"the codec query takes {DEPTH_MOST} brackets after a name, no more")
