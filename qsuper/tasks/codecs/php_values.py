"""What PHP makes of keys and numbers, whichever way a param is written."""

import math
import re
from typing import Any

INDEX_LEAST, INDEX_MOST = -(2**63), 2**63 - 1
"""PHP's integers."""
_INDEX = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)


def key_of(text: str) -> int | str:
    """The key of an array: "5" and "-5" are integers there; "05", "-0" and "5.0" are not."""
    if _INDEX.fullmatch(text) and INDEX_LEAST <= (index := int(text)) <= INDEX_MOST:
        return index
    return text


def is_list(entries: dict[int | str, Any]) -> bool:
    """Whether the keys are 0, 1, 2, … in this order."""
    return all(key == place for place, key in enumerate(entries))


def float_text(value: float) -> str:
    """The shortest text that reads back as the same float, as PHP writes it.

    That is its `serialize_precision = -1`. A whole number has no fraction: 1.0 is "1".
    """
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    text = repr(value).removesuffix(".0")
    mantissa, exponential, exponent = text.partition("e")
    if not exponential:
        return text
    whole, _, fraction = mantissa.partition(".")
    if exponent == "+16":
        # Python turns to exponents one digit earlier than PHP.
        return whole + fraction.ljust(16, "0")
    return f"{whole}.{fraction or '0'}E{int(exponent):+d}"
