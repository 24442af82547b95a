"""How a job is enqueued and run, as keyword arguments."""

from datetime import datetime, timedelta
from typing import Literal, TypedDict

from qsuper.tasks.limit import Limit

OnConflict = Literal["keep", "replace", "move"]


class ThenOptions(TypedDict, total=False):
    """How what follows a group is run."""

    queue: str
    priority: int


class RunOptions(TypedDict, total=False):
    """How a job is run. What is left out is as the task says, or the configuration."""

    queue: str
    priority: int
    """Smaller runs first; negative is urgent."""
    max_attempts: int
    timeout: float
    """Seconds; 0 means no limit."""
    max_age: float
    """Seconds that it may wait beyond its time; then it is discarded."""


class TaskOptions(RunOptions, total=False):
    """How a task is declared."""

    name: str
    """Without it the function's own."""
    codec: str
    """How its param is written: one of `CODECS`."""
    backoff: float | tuple[float, float]
    """Seconds before the second attempt, and the longest wait before any."""
    no_retry: type[BaseException] | tuple[type[BaseException], ...]
    """Errors after which no further attempt is made."""
    limit: int | tuple[int, str] | Limit
    """Jobs of it that may run at once on all nodes: `3`; `(1, "uid")`: for each value of its
    argument `uid`."""
    rate: float | str
    """Jobs of it that may start in a second on all nodes: `10`, `"600/m"`, `"20/h"`."""
    transactional: bool
    """The function is given a `connection`, a DB-API connection in a transaction: what it writes
    and the job's end are committed together, or neither is."""
    keep_result: bool
    """What the function returns is kept, as JSON, for `job.result`."""


class Options(RunOptions, total=False):
    """How a job is enqueued."""

    delay: float | timedelta
    """Seconds until it may run."""
    at: float | datetime
    """Unix time from which it may run, or a datetime with its time zone; instead of `delay`."""
    name: str
    """Unique among live jobs."""
    on_conflict: OnConflict
    """What becomes of a live job of the same `name`: it is kept, and no second is added (the
    default); it is cancelled if it waits, and the new one takes its place; or it is moved, and
    becomes what the new one would have been. A running one is let run, without its name."""
