"""Params as JSON."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from qsuper.errors import ParamError
from qsuper.tasks.codecs.codec import text_of

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Json:
    """An object is named arguments, an array positional ones, anything else the only one.

    A tuple comes back as a list and a key that is no str as one, as JSON has neither. Of equal
    names in one object the last counts. What JSON has no word for is refused both ways: NaN,
    infinities (a number too large for a float is one), half a surrogate pair.
    """

    exact = True

    def encode(self, arguments: Mapping[str, Any]) -> str | None:
        if not arguments:
            return None
        try:
            text = _WRITER.encode(dict(arguments))
        except (TypeError, ValueError, RecursionError) as error:
            raise ParamError(f"the param cannot be written as JSON: {_why(error)}") from None
        return text_of(text)

    def decode(self, param: Any) -> tuple[list[Any], dict[str, Any]]:
        if param is None:
            return [], {}
        text = text_of(param)
        try:
            value = _READER.decode(text)
            if "\\u" in text and _ESCAPED_SURROGATE.search(text):
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise ParamError(f"the param is not JSON: {_why(error)}") from None
        if isinstance(value, dict):
            return [], value
        return (value, {}) if isinstance(value, list) else ([value], {})


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits:.40} is larger than a float can be")
    return value


# Made once: json.dumps and json.loads make one for each call that is not the plainest.
_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_READER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeEncodeError):
        return "it holds half a surrogate pair"
    # What follows a semicolon tells how to lift Python's limit on the digits of an integer.
    return str(error).partition(";")[0]
