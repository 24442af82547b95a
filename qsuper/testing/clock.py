"""Time that jumps.

The database's clock cannot be moved, and an application's own programs read it, too. So a jump of
30 minutes makes everything that waits 30 minutes older instead: whoever looks sees a database in
which that time has passed. Calendars do not shift like that: for schedules the clock keeps a time
of its own, which runs ahead.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from qsuper.client import Queue
from qsuper.config.kinds import read_duration
from qsuper.errors import ParamError
from qsuper.store import looking
from qsuper.store.backend import Statement
from qsuper.store.counting import queue_names
from qsuper.store.database import Connection
from qsuper.store.enqueueing import moment
from qsuper.testing.calendar import due_times
from qsuper.testing.tables import check_it_is_a_tests

_NOW = Statement("SELECT {unix_now}")
_WAITING = Statement(
    "SELECT id, {unix:run_at}, {unix:put_off_since} FROM queue WHERE status IN (0, 4, 6)"
)
_AGE = Statement(
    "UPDATE queue SET run_at = :run_at, put_off_since = :put_off_since"
    " WHERE id = :id AND status IN (0, 4, 6)"
)


class Clock:
    """One per test: its time is now, or `start`, and goes on from there until it is moved."""

    def __init__(self, queue: Queue, start: datetime | None = None) -> None:
        check_it_is_a_tests(queue)
        self._queue = queue
        self._ahead = 0.0
        if start is not None:
            self._ahead = (_zoned(start) - self.now).total_seconds()

    @property
    def now(self) -> datetime:
        """UTC."""
        rows = self._queue.within(lambda own: own.rows(_NOW))
        return datetime.fromtimestamp(float(rows[0][0]) + self._ahead, UTC)

    def advance(self, by: float | str | timedelta) -> None:
        """Let time pass: seconds, `"30m"`, `"2h"`, `"1d"`, or a timedelta.

        What has become due is ready then, for `drain` (or has run, under `inline`): timers, delayed
        jobs, further attempts, and a job for each time at which a schedule was due.
        """
        self._jump(self.now, _seconds(by))

    def move_to(self, when: datetime) -> None:
        """Let time pass until then; raises `ParamError` for the past, or a time without a zone."""
        now = self.now
        if _zoned(when) < now:
            raise ParamError(f"the clock shows {now:%Y-%m-%d %H:%M:%S} UTC, and cannot go back")
        self._jump(now, (when - now).total_seconds())

    def _jump(self, now: datetime, seconds: float) -> None:
        since = now.timestamp()
        due = due_times(self._queue, since, since + seconds)
        ahead = self._ahead + seconds

        def pass_by(own: Connection) -> None:
            with own.transaction():
                _age(own, seconds)
                for one in due:
                    one.enqueue(self._queue, own, ahead)

        self._queue._threads.do(pass_by)
        self._ahead = ahead
        for name in self._queue._threads.do(_promote):
            self._queue._waker.wake(name)


def _zoned(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ParamError(f"{when} has no time zone: give it one, or UTC")
    return when


def _seconds(by: float | str | timedelta) -> float:
    if isinstance(by, timedelta):
        by = by.total_seconds()
    try:
        seconds = read_duration(by)
    except ValueError:
        seconds = None
    if not isinstance(seconds, int | float) or seconds < 0:
        raise ParamError(f'a time is a number of seconds or "90s", "30m", "2h", "1d", not {by!r}')
    return seconds


def _age(own: Connection, seconds: float) -> None:
    """Everything that waits has waited for so much longer."""

    def earlier(unix: Any) -> str | None:
        return None if unix is None else moment(float(unix) - seconds, own.backend)

    for job_id, run_at, put_off_since in own.rows(_WAITING):
        own.run(_AGE, id=job_id, run_at=earlier(run_at), put_off_since=earlier(put_off_since))


def _promote(own: Connection) -> list[str]:
    """Make what is due ready; returns the queues that have got something."""
    grown = []
    for name in queue_names(own):
        while looking.promote(own, name):
            grown.append(name)
    return list(dict.fromkeys(grown))
