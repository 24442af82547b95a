"""JSON of values that hold what strangers have written: their texts may be no UTF-8."""

from typing import Any

import msgspec


def to_json(value: Any) -> bytes:
    """A value as JSON; what JSON has no word for is written as text, and what is no UTF-8 as
    `\\xff`."""
    try:
        return msgspec.json.encode(value, enc_hook=str)
    except UnicodeEncodeError:
        return msgspec.json.encode(_written_out(msgspec.to_builtins(value, enc_hook=str)))


def _written_out(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_written_out(name): _written_out(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_written_out(each) for each in value]
    return value
