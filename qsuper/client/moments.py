"""Times as applications have them, in the seconds that a job is enqueued with."""

from datetime import datetime, timedelta
from typing import Any

from qsuper.client.options import Options
from qsuper.errors import ParamError


def in_seconds(options: Options) -> dict[str, Any]:
    """The options with their times as numbers; raises `ParamError` for a datetime without zone."""
    plain: dict[str, Any] = dict(options)
    delay, at = plain.get("delay"), plain.get("at")
    if isinstance(delay, timedelta):
        plain["delay"] = delay.total_seconds()
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise ParamError(f"at is a datetime without a time zone ({at}): give it one, or UTC")
        plain["at"] = at.timestamp()
    return plain
