"""A pattern of Redis keys whose expiry becomes a job."""

import re
from dataclasses import dataclass, field

from qsuper.errors import ParamError
from qsuper.tasks.glob import compile_glob


@dataclass(frozen=True, slots=True)
class Watch:
    """A pattern of keys and the task of the jobs."""

    pattern: str
    task: str
    db: int | None = None
    """Number of the Redis database; None means that of `redis.url`."""
    _compiled: re.Pattern[bytes] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not _is_pattern(self.pattern):
            raise ParamError(f"a watch wants a pattern of keys, 'SN*:1', not {self.pattern!r:.80}")
        if not _is_number(self.db):
            raise ParamError(f"db is the number of a Redis database, not {self.db!r:.40}")
        object.__setattr__(self, "_compiled", compile_glob(self.raw))

    @property
    def raw(self) -> bytes:
        """The pattern in bytes."""
        return self.pattern.encode("utf-8", "surrogateescape")

    @property
    def is_everything(self) -> bool:
        """Whether every key there is matches."""
        return not self.pattern.strip("*")

    def matches(self, key: bytes) -> bool:
        return self._compiled.fullmatch(key) is not None


def _is_pattern(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)
