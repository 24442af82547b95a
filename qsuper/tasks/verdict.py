"""Exceptions by which a task says what is to become of its job."""

from datetime import timedelta

from qsuper.errors import ParamError
from qsuper.job import is_number


class Verdict(Exception):
    """What a task decides by raising instead of returning."""


class Retry(Verdict):
    """This attempt failed: try again in so many seconds, or as the backoff says."""

    wait: float | None = None

    def __init__(self, reason: str = "", *, in_: float | timedelta | None = None) -> None:
        super().__init__(reason)
        self.wait = None if in_ is None else _seconds(in_)


class Snooze(Verdict):
    """Not now: run it in so many seconds. The attempt does not count."""

    wait: float = 60.0

    def __init__(self, *, in_: float | timedelta) -> None:
        super().__init__()
        self.wait = _seconds(in_)


class Discard(Verdict):
    """Not worth running, now or ever: the job ends `cancelled`, with the reason."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)


def _seconds(value: float | timedelta) -> float:
    if isinstance(value, timedelta):
        return max(0.0, value.total_seconds())
    if not is_number(value):
        raise ParamError(f"in_ is a number of seconds, or a timedelta, not {value!r:.40}")
    return max(0.0, float(value))
