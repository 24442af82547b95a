"""A param that is a text of its own."""

from collections.abc import Mapping
from typing import Any

from qsuper.errors import ParamError
from qsuper.tasks.codecs.codec import text_of


class Raw:
    """The column's text is the only argument; NULL is no argument. Nothing is lost."""

    exact = False

    def encode(self, arguments: Mapping[str, Any]) -> str | None:
        if not arguments:
            return None
        (value, *more) = arguments.values()
        if more or not isinstance(value, str):
            raise ParamError("the codec raw takes one argument, a str")
        return text_of(value)

    def decode(self, param: Any) -> tuple[list[Any], dict[str, Any]]:
        return ([] if param is None else [text_of(param)]), {}
