"""A cron line and its time zone: when it is due. Knows no clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import islice, takewhile
from math import floor
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

FIELDS = 5
LENGTH_MOST = 200
_MONTH = 3
_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_HOW = "write minute, hour, day, month and day of the week, such as '*/5 * * * *'"


@dataclass(frozen=True, slots=True)
class CronLine:
    """A cron expression as a time zone reads it; `ValueError`, with the mend, when it is none."""

    cron: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if problems := [*_problems_of_cron(self.cron), *_problems_of_timezone(self.timezone)]:
            raise ValueError("; ".join(problems))

    def after(self, moment: float) -> Iterator[int]:
        """The Unix times later than `moment` at which it is due, in order.

        A fixed time that a spring night skips is due when that hour would have ended, one that an
        autumn night has twice is due the first time; lines whose minute or hour begins with `*`
        follow the time that has passed.
        """
        zone = _zone(self.timezone)
        last: float = moment
        for found in CronSim(self.cron, datetime.fromtimestamp(floor(moment), zone)):
            due = int(found.timestamp())
            # From within an hour that comes twice, what the first one had would be found anew.
            if due > last:
                yield due
                last = due

    def within(self, since: float, until: float, most: int) -> list[int]:
        """The first `most` Unix times, later than `since` and not later than `until`, at which it
        is due."""
        first = first_after(self, since)
        if first is None or first > until:
            return []
        return list(islice(takewhile(lambda due: due <= until, self.after(since)), most))


@lru_cache(maxsize=1024)
def first_after(line: CronLine, moment: float) -> int | None:
    """When it is due next; None when never again. Remembered: the same is asked each second."""
    return next(line.after(moment), None)


def _zone(name: str) -> tzinfo:
    # Known without the host's list of time zones, which a small image may lack.
    return UTC if name == "UTC" else ZoneInfo(name)


def _problems_of_cron(cron: object) -> Iterator[str]:
    if not isinstance(cron, str) or len(cron) > LENGTH_MOST:
        yield f"cron = {cron!r:.80} is not a cron line; {_HOW}"
        return
    if len(cron.split()) != FIELDS:
        yield f"cron = {cron!r:.80} has not five fields; {_HOW}"
        return
    try:
        if next(CronSim(cron, _ANY_DAY), None) is None:
            yield f"cron = {cron!r:.80} is never due; {_HOW}"
    except (CronSimError, ValueError, AssertionError) as error:
        if _has_days_of_no_month(cron):
            yield f"cron = {cron!r:.80} is never due: these months have no such day"
        else:
            yield f"cron = {cron!r:.80} is wrong ({_reason(error)}); {_HOW}"


def _problems_of_timezone(timezone: str) -> Iterator[str]:
    try:
        _zone(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        yield f"timezone = {timezone!r:.80} is not known; write one such as 'Europe/Berlin', 'UTC'"


def _has_days_of_no_month(cron: str) -> bool:
    """Whether it would be right if the months were others."""
    fields = cron.split()
    if fields[_MONTH] == "*":
        return False
    try:
        CronSim(" ".join([*fields[:_MONTH], "*", *fields[_MONTH + 1 :]]), _ANY_DAY)
        # The months themselves are right.
        CronSim(f"0 0 1 {fields[_MONTH]} *", _ANY_DAY)
    except (CronSimError, ValueError, AssertionError):
        return False
    return True


def _reason(error: Exception) -> str:
    words = str(error) if isinstance(error, CronSimError) else "a number too long"
    return words[:1].lower() + words[1:]
