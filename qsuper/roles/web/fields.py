"""What was sent with a form or as JSON, read as what it must be."""

import math
from collections.abc import Mapping
from typing import Any

from qsuper.errors import QsuperError
from qsuper.states import State

ID_MOST = 2**63 - 1
TEXT_MOST = 2000
_YES, _NO = ("1", "true", "on", "yes"), ("", "0", "false", "off", "no")


class BadField(QsuperError):
    """A field is not what it must be."""


class Fields:
    """Names with their values: texts from a form, anything from JSON. Empty texts are nothing."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = {name: value for name, value in given.items() if value not in (None, "")}

    def text(self, name: str) -> str | None:
        value = self._given.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > TEXT_MOST or "\0" in value:
            raise BadField(f"{name} is a text of at most {TEXT_MOST:,} letters")
        return value

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise BadField(f"{name} is missing")
        return value

    def id(self, name: str = "id") -> int:
        """A job's."""
        value = self._given.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= ID_MOST:
            raise BadField(f"{name} is the number of a job")
        return value

    def flag(self, name: str) -> bool:
        value = str(self._given.get(name, "")).lower()
        if value not in (*_YES, *_NO):
            raise BadField(f"{name} is true or false")
        return value in _YES

    def moment(self, name: str) -> float | None:
        """A Unix time."""
        value = self._given.get(name)
        if value is None:
            return None
        try:
            found = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            found = math.nan
        if not 0 <= found < 2**40:
            raise BadField(f"{name} is a Unix time, in seconds")
        return found

    def state(self, name: str = "state") -> State | None:
        word = self.text(name)
        for state in State:
            if word == state.word:
                return state
        if word is None:
            return None
        raise BadField(f"{name} is one of {', '.join(state.word for state in State)}")

    def number(self, name: str, default: int, most: int) -> int:
        """A number from 1 to `most`."""
        value = self._given.get(name, default)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise BadField(f"{name} is a number from 1 to {most:,}")
        return value

    def workers(self, name: str = "workers") -> int | str:
        """A number, or `auto`."""
        value = self._given.get(name)
        if value == "auto":
            return "auto"
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadField(f"{name} is a number, or auto")
        return value
