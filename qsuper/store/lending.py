"""A connection lent to a transactional task: it may do anything with it but end the transaction."""

from typing import Any

from qsuper.errors import QsuperError

_OURS = frozenset(
    {"commit", "rollback", "begin", "close", "autocommit", "executescript", "isolation_level"}
)


class Lent:
    """A DB-API connection without its way to commit. `with connection:` of sqlite3 would commit,
    that of PyMySQL would close: there is none."""

    __slots__ = ("lent",)

    def __init__(self, lent: Any) -> None:
        object.__setattr__(self, "lent", lent)

    def __getattr__(self, name: str) -> Any:
        if name in _OURS:
            raise _refusal(name)
        return getattr(self.lent, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OURS:
            raise _refusal(name)
        setattr(self.lent, name, value)


def _refusal(name: str) -> QsuperError:
    return QsuperError(
        f"a transactional task does not use connection.{name}: qsuper commits what it wrote"
        " together with the job's end, or rolls both back"
    )
