"""A cron line that becomes jobs: what it is, and which of its due times make one."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

from qsuper.config import kinds
from qsuper.cron import CronLine
from qsuper.errors import ParamError
from qsuper.job import is_number

Misfire = Literal["once", "skip", "all"]
Overlap = Literal["allow", "skip"]

NAME_LENGTH_MOST = 190

MISSED, OVERLAP, PAUSED = "missed", "overlap", "paused"
"""Why a due time made no job: nobody was there in time; the last job still lived; the schedule was
paused."""


class Due(NamedTuple):
    """A due time, as a Unix time, and why it makes no job; None when it makes one."""

    at: int
    note: str | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron line and the task of its jobs; raises `ParamError` for what cannot be."""

    cron: str
    task: str
    name: str = ""
    """Its own among all schedules; empty means the task's, and `distinct` fills it in."""
    param: Mapping[str, Any] | str | None = None
    """Named arguments, or the text of the column."""
    timezone: str = "UTC"
    jitter: float = 0.0
    """Seconds: a job may run so much later, by its due time's own share of that."""
    misfire: Misfire = "once"
    """What becomes of due times that were missed: one job for all, none, or one for each."""
    grace: float = kinds.GRACE
    """Seconds after which a due time counts as missed."""
    overlap: Overlap = "allow"
    """Whether a job is made while the last one still lives."""
    line: CronLine = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise ParamError(
                "a schedule's name is printable text that does not begin or end with a space,"
                f" not {self.name!r:.80}"
            )
        if len(self.name) > NAME_LENGTH_MOST:
            raise ParamError(
                f"a schedule's name is at most {NAME_LENGTH_MOST} characters: give"
                f" {self.name!r:.60} another by name=..."
            )
        if not _is_param(self.param):
            raise ParamError(
                f"a schedule's param is a mapping of named arguments, not {self.param!r:.80}"
            )
        for key, words in (("misfire", get_args(Misfire)), ("overlap", get_args(Overlap))):
            if getattr(self, key) not in words:
                raise ParamError(
                    f"{key} is one of {', '.join(words)}, not {getattr(self, key)!r:.40}"
                )
        _check_seconds("grace", self.grace, kinds.GRACE_LEAST, kinds.GRACE_MOST)
        _check_seconds("jitter", self.jitter, 0.0, kinds.DAY)
        try:
            object.__setattr__(self, "line", CronLine(self.cron, self.timezone))
        except ValueError as error:
            raise ParamError(str(error)) from None

    @property
    def definition(self) -> str:
        """What the table keeps: where it changes, the schedule begins anew."""
        kept = {"cron": self.cron, "timezone": self.timezone, "task": self.task}
        return json.dumps(kept, sort_keys=True)

    def lateness(self, due: int) -> float:
        """Seconds of jitter for the job of a due time: the same whoever asks."""
        if not self.jitter:
            return 0.0
        digest = hashlib.sha256(f"{self.name}\0{due}".encode()).digest()
        return self.jitter * int.from_bytes(digest[:8]) / 2**64

    def decide(
        self, times: Sequence[int], now: float, *, paused: bool = False, more: bool = False
    ) -> list[Due]:
        """What becomes of these due times, which are all there are up to `now`; `more`: but for
        later ones.

        With misfire="once" the last of them stands for all that were missed: where one that is
        on time follows, no other is needed.
        """
        if paused:
            return [Due(at, PAUSED) for at in times]
        if self.misfire == "all":
            return [Due(at, None) for at in times]
        made_up = None if self.misfire == "skip" or more or not times else times[-1]
        return [
            Due(at, MISSED if now - at > self.grace and at != made_up else None) for at in times
        ]


@dataclass(frozen=True, slots=True)
class Refused:
    """A schedule that cannot be, and why."""

    schedule: Schedule
    reason: str

    @property
    def name(self) -> str:
        """Its own, or the task's."""
        return self.schedule.name or self.schedule.task


def read_definition(definition: str) -> dict[str, str]:
    """What the table keeps of a schedule; empty when it cannot be read."""
    try:
        found = json.loads(definition)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def line_of(definition: str) -> CronLine | None:
    """The cron line of a kept definition; None when there is none that can be read here."""
    found = read_definition(definition)
    try:
        return CronLine(found["cron"], found["timezone"])
    except (KeyError, ValueError):
        return None


def remembered(name: str, definition: str) -> Schedule | None:
    """As much of a schedule as the table keeps; None when that cannot be read here."""
    found = read_definition(definition)
    try:
        schedule = Schedule(found["cron"], found["task"], name=name, timezone=found["timezone"])
    except (KeyError, ParamError):
        return None
    return schedule if schedule.definition == definition else None


def distinct(schedules: Iterable[Schedule]) -> list[Schedule]:
    """Each once and under a name of its own; raises `ParamError` where two that differ have one."""
    found, refused = named(schedules)
    if refused:
        raise ParamError(refused[0].reason)
    return list(found.values())


def named(schedules: Iterable[Schedule]) -> tuple[dict[str, Schedule], list[Refused]]:
    """Each once and under a name of its own, and those that can have none: who comes first keeps
    his.

    Without a name it is the task's; where a task has several, the cron line follows.
    """
    found: list[Schedule] = []
    for one in schedules:
        if one not in found:
            found.append(one)
    unnamed = Counter(one.task for one in found if not one.name)
    by_name: dict[str, Schedule] = {}
    refused: list[Refused] = []
    for one in found:
        cron = " ".join(one.cron.split())
        name = one.name or (f"{one.task} {cron}" if unnamed[one.task] > 1 else one.task)
        try:
            fitting = replace(one, name=name)
        except ParamError as error:
            refused.append(Refused(one, str(error)))
            continue
        if name in by_name:
            reason = f"two schedules are named {name!r}: give one of them name=..."
            refused.append(Refused(fitting, reason))
        else:
            by_name[name] = fitting
    return by_name, refused


def _is_name(value: object) -> bool:
    # MySQL compares without the spaces at the end.
    return isinstance(value, str) and value.isprintable() and value == value.strip()


def _is_param(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(name, str) for name in value)
    return value is None or isinstance(value, str)


def _check_seconds(key: str, value: float, least: float, most: float) -> None:
    if not is_number(value) or not least <= value <= most:
        raise ParamError(
            f"{key} is a number of seconds from {least:g} to {most:g}, not {value!r:.40}"
        )
