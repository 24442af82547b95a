"""How a param is written: from the arguments of a call to the text of the column, and back.

A further codec is one more class and one line in `CODECS`. Never pickle: a row must not be able
to run code.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from qsuper.errors import ParamError


class Codec(Protocol):
    """One way of writing."""

    def encode(self, arguments: Mapping[str, Any]) -> str | None:
        """The text of a call with these named arguments; raises `ParamError`."""
        ...

    def decode(self, param: Any) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments of a column's content; raises `ParamError`."""
        ...


def text_of(param: Any) -> str:
    """A column's content as text; raises `ParamError` when it is no UTF-8."""
    if isinstance(param, bytes):
        try:
            return param.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ParamError(
                f"the param is not UTF-8: {error.reason} at byte {error.start}"
            ) from None
    text = str(param)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ParamError(f"the param is not UTF-8: bad byte at character {error.start}") from None
    return text


class Json:
    """An object is named arguments, an array positional ones, anything else the only one."""

    def encode(self, arguments: Mapping[str, Any]) -> str | None:
        if not arguments:
            return None
        try:
            return json.dumps(arguments, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError) as error:
            raise ParamError(f"the param cannot be written as JSON: {error}") from None

    def decode(self, param: Any) -> tuple[list[Any], dict[str, Any]]:
        if param is None:
            return [], {}
        text = text_of(param)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ParamError(f"the param is not JSON: {error}") from None
        if isinstance(value, dict):
            return [], value
        return (value, {}) if isinstance(value, list) else ([value], {})


class Raw:
    """The column's text is the only argument; NULL is no argument."""

    def encode(self, arguments: Mapping[str, Any]) -> str | None:
        if not arguments:
            return None
        (value, *more) = arguments.values()
        if more or not isinstance(value, str):
            raise ParamError("the codec raw takes one argument, a str")
        return value

    def decode(self, param: Any) -> tuple[list[Any], dict[str, Any]]:
        return ([] if param is None else [text_of(param)]), {}


CODECS: dict[str, Codec] = {"json": Json(), "raw": Raw()}
