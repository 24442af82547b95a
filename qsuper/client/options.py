"""How a job is enqueued and run, as keyword arguments."""

from datetime import datetime, timedelta
from typing import TypedDict


class RunOptions(TypedDict, total=False):
    """How a job is run. What is left out is as the task says, or the configuration."""

    queue: str
    priority: int
    """Smaller runs first; negative is urgent."""
    max_attempts: int
    timeout: float
    """Seconds; 0 means no limit."""


class TaskOptions(RunOptions, total=False):
    """How a task is declared."""

    name: str
    """Without it the function's own."""
    codec: str
    """How its param is written: one of `CODECS`."""


class Options(RunOptions, total=False):
    """How a job is enqueued."""

    delay: float | timedelta
    """Seconds until it may run."""
    at: float | datetime
    """Unix time from which it may run, or a datetime with its time zone; instead of `delay`."""
    name: str
    """Unique among live jobs: while one of this name lives, no second is added."""
