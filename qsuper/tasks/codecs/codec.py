"""What a codec is, and what every one of them asks of a column's content."""

from collections.abc import Mapping
from typing import Any, Protocol

from qsuper.errors import ParamError

BYTES_MOST = 16 * 1024 * 1024 - 1
"""What the column holds on MySQL; SQLite would take more."""


class Codec(Protocol):
    """One way of writing."""

    @property
    def exact(self) -> bool:
        """Whether the very names that were written are read again, whatever their values."""
        ...

    def encode(self, arguments: Mapping[str, Any]) -> str | None:
        """The text of a call with these named arguments; raises `ParamError`."""
        ...

    def decode(self, param: Any) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments of a column's content; raises `ParamError`."""
        ...


def text_of(param: Any) -> str:
    """A param as text that every database holds; raises `ParamError` when it is no UTF-8 or
    larger than any column."""
    if isinstance(param, str) and len(param) <= BYTES_MOST and param.isascii():
        return param
    if isinstance(param, bytes):
        content, text = param, _decoded(param)
    else:
        text = str(param)
        content = _encoded(text)
    if len(content) > BYTES_MOST:
        raise ParamError(f"the param is larger than {BYTES_MOST} bytes")
    return text


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParamError(f"the param is not UTF-8: {error.reason} at byte {error.start}") from None


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ParamError(f"the param is not UTF-8: bad byte at character {error.start}") from None
