"""Times as applications have them, in the seconds that a job is enqueued with."""

import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from qsuper.client.options import Options
from qsuper.errors import ParamError
from qsuper.job import NewJob
from qsuper.store.backend import Backend

log = logging.getLogger("qsuper.client")


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


class _Place(Protocol):
    @property
    def backend(self) -> Backend: ...


def say_what_is_too_late(jobs: Iterable[NewJob], place: _Place) -> None:
    """Warn, once for all, of dates that lie beyond what the database's columns hold."""
    latest = place.backend.latest
    most = latest + 1 - time.time()
    late = [job for job in jobs if (job.at or 0) > latest + 1 or (job.delay or 0) > most]
    if late:
        log.warning(
            "%s will be due on %s UTC, the last date that the database holds, not as late as asked",
            f"the job {late[0].name or late[0].task!r}" if len(late) == 1 else f"{len(late)} jobs",
            datetime.fromtimestamp(latest, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        )
