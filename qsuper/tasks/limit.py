"""How many jobs of a task may run at once, and how many may start in a second."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qsuper.config.kinds import LIMIT_MOST, RATE_MOST, read_rate
from qsuper.errors import ParamError
from qsuper.job import is_number

NAME_MOST = 190
"""Characters of a limit's name that the tables hold."""
RATE = "rate:"
"""Begins the name of a rate; no limit's name begins so."""
_DIGEST = 32


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many jobs of a task run at once on all nodes together: `Limit(3)`; or at most so
    many for each value of one of its arguments: `Limit(1, by="uid")`."""

    most: int
    by: str | None = None

    def __post_init__(self) -> None:
        most: object = self.most
        if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= LIMIT_MOST:
            raise ParamError(f"a limit is a whole number from 1 to {LIMIT_MOST}, not {most!r:.40}")
        by: object = self.by
        if by is not None and not (isinstance(by, str) and by):
            raise ParamError(f"a limit is by an argument of its task, not by {by!r:.40}")


def read_limit(task: str, value: object) -> Limit:
    """A limit as it may be declared: `3`, `(3, "uid")` or a `Limit`; raises `ParamError`."""
    match value:
        case Limit():
            limit = value
        case (int() as most, str() as by):
            limit = Limit(most, by)
        case int():
            limit = Limit(value)
        case _:
            raise ParamError(
                f'{task}: limit is a number of jobs, or (3, "uid") for each uid, not {value!r:.40}'
            )
    if task == RATE[:-1] or task.startswith(RATE):
        raise ParamError(f"a task with a limit cannot be named {task!r}: rates are named so")
    return limit


def starts(task: str, rate: object) -> float:
    """Starts a second, as they may be declared: `10`, `0.5`, `"600/m"`, `"20/h"`.

    Raises `ParamError`.
    """
    try:
        number = read_rate(rate)
    except ValueError:
        number = None
    if is_number(number) and isinstance(number, int | float) and 0 < number <= RATE_MOST:
        return float(number)
    raise ParamError(
        f"{task}: rate is a number of starts a second, above 0 and up to {RATE_MOST}, or"
        f' "600/m" or "20/h", not {rate!r:.40}'
    )


def name_of(limit: Limit, task: str, arguments: Mapping[str, Any]) -> str:
    """The limit's name for a job with these arguments: `resize`, or `resize:uid=4`.

    4 and "4" are the same value, for some codecs know no numbers; one that is missing is null.
    """
    if limit.by is None:
        return task
    return short(f"{task}:{limit.by}={_text(arguments.get(limit.by))}")


def rate_name(task: str) -> str:
    """The name of a task's rate: `rate:resize`."""
    return short(f"{RATE}{task}")


def short(name: str) -> str:
    """The name, its end replaced by a digest where it is longer than the tables hold."""
    plain = name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    # MariaDB takes names that differ in spaces at the end for the same.
    bare = plain.rstrip(" ")
    plain = bare + "\\x20" * (len(plain) - len(bare))
    if len(plain) <= NAME_MOST:
        return plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:_DIGEST]
    return f"{plain[: NAME_MOST - _DIGEST - 1]}#{digest}"


def may_be_by_value(name: str) -> bool:
    """Whether a limit of this name may be one of many of its task; a task may be named so, too."""
    return ":" in name or len(name) == NAME_MOST


def is_own(name: str, task: str, limit: Limit | None) -> bool:
    """Whether a name that belongs to this task is one that its limit, as it is now, gives."""
    if limit is None or limit.by is None:
        return limit is not None and name == task
    beginning = f"{task}:{limit.by}="
    return name.startswith(beginning[: NAME_MOST - _DIGEST - 1])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
