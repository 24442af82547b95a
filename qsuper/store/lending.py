"""A connection lent to a transactional task: it may do anything with it but end the transaction."""

from typing import Any

from qsuper.errors import QsuperError

_OURS = frozenset(
    {"commit", "rollback", "begin", "close", "autocommit", "executescript", "isolation_level"}
)

_SHAPES = ("cursorclass", "row_factory", "text_factory")
"""What a task may change so that rows come in another shape."""


class Lent:
    """A DB-API connection without its way to commit. `with connection:` of sqlite3 would commit,
    that of PyMySQL would close: there is none."""

    __slots__ = ("_before", "_taken_back", "lent")

    def __init__(self, lent: Any) -> None:
        before = {name: getattr(lent, name) for name in _SHAPES if hasattr(lent, name)}
        object.__setattr__(self, "lent", lent)
        object.__setattr__(self, "_before", before)
        object.__setattr__(self, "_taken_back", False)

    def take_back(self) -> None:
        """The task is over: it can use the connection no more, and rows have their own shape."""
        for name, value in self._before.items():
            setattr(self.lent, name, value)
        object.__setattr__(self, "_taken_back", True)

    def __getattr__(self, name: str) -> Any:
        if name in _OURS:
            raise _refusal(name)
        return getattr(self._connection(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OURS:
            raise _refusal(name)
        setattr(self._connection(), name, value)

    def _connection(self) -> Any:
        if self._taken_back:
            raise QsuperError("the job that this connection was lent to has ended")
        return self.lent


def _refusal(name: str) -> QsuperError:
    return QsuperError(
        f"a transactional task does not use connection.{name}: qsuper commits what it wrote"
        " together with the job's end, or rolls both back"
    )
