"""A claimed job, and what may come of it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from qsuper.errors import ParamError

DEFAULT_QUEUE = "default"
NAME_BYTES_MOST = 255
TASK_LENGTH_MOST = 190
QUEUE_LENGTH_MOST = 64
ATTEMPTS_MOST = 1_000_000
PRIORITY_LEAST, PRIORITY_MOST = -32768, 32767


@dataclass(slots=True)
class Job:
    """What a worker knows of a row it holds."""

    id: int
    task: str
    param: Any
    """As the column holds it: text, or bytes where a foreign writer put them; None for NULL."""
    attempt: int
    """Counted from 1, this one included."""
    max_attempts: int | None
    timeout: float | None
    claims: int
    """The fence: grows with every claim and never goes back."""
    grouped: bool = False
    """Others wait for its end."""
    waited: float = 0.0
    """Seconds from its time to its claim, by the database's clock."""


@dataclass(frozen=True, slots=True)
class Done:
    """The code returned."""

    result: str | None = None
    """JSON, where the task keeps what it returns."""
    written: bool = False
    """Its end is in the database already: it was committed with what the task wrote."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed; another follows while attempts are left."""

    error: str
    traceback: str | None = None
    wait: float | None = None
    """Seconds until the next attempt, where the task has said; else the backoff decides."""
    cause: BaseException | None = field(default=None, compare=False, repr=False)
    output: str | None = None
    """The end of what it printed."""


@dataclass(frozen=True, slots=True)
class Buried:
    """Hopeless: no further attempt would go better."""

    error: str
    traceback: str | None = None
    cause: BaseException | None = field(default=None, compare=False, repr=False)
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Discarded:
    """Not worth running (again): the task says so, or it has waited too long."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Ended on request, and nothing that it started is left."""


@dataclass(frozen=True, slots=True)
class Snoozed:
    """The task wants to be run later; the attempt does not count."""

    wait: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class PutOff:
    """Nobody here knows the task; the attempt does not count."""

    why: str


Outcome = Done | Failed | Buried | Discarded | Cancelled | Snoozed | PutOff


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be enqueued, its param already encoded; raises `ParamError` for what cannot be."""

    task: str
    param: str | None = None
    queue: str = DEFAULT_QUEUE
    name: str | None = None
    priority: int = 0
    delay: float | None = None
    """Seconds from now, on the database's clock; zero and less mean now."""
    at: float | None = None
    """Unix time; instead of `delay`."""
    max_attempts: int | None = None
    timeout: float | None = None
    """Seconds; 0 means no limit."""
    max_age: float | None = None
    """Seconds that it may wait beyond its time; then it is discarded."""
    group: int | None = None
    """Its group, which counts the ends of its jobs."""
    headers: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise ParamError(problem)

    @property
    def is_ready(self) -> bool:
        """Whether it may run at once: it has no time of its own."""
        return self.at is None and not (self.delay and self.delay > 0)

    def _problems(self) -> Iterator[str]:
        if not _is_text(self.task, TASK_LENGTH_MOST):
            yield f"a task is named by 1 to {TASK_LENGTH_MOST} characters, not {self.task!r:.80}"
        if not _is_text(self.queue, QUEUE_LENGTH_MOST):
            yield f"a queue is named by 1 to {QUEUE_LENGTH_MOST} characters, not {self.queue!r:.80}"
        if self.name is not None and not _is_name(self.name):
            yield _no_name(self.name)
        if not _is_whole(self.priority) or not PRIORITY_LEAST <= self.priority <= PRIORITY_MOST:
            yield (
                f"priority is a whole number from {PRIORITY_LEAST} to {PRIORITY_MOST}"
                f" (smaller runs first), not {self.priority!r:.40}"
            )
        if self.delay is not None and self.at is not None:
            yield "give either delay or at, not both"
        seconds = {name: getattr(self, name) for name in ("delay", "at", "timeout", "max_age")}
        for key, value in seconds.items():
            if value is not None and not is_number(value):
                yield f"{key} is a number of seconds, not {value!r:.40}"
        if self.timeout is not None and self.timeout < 0:
            yield f"timeout is a number of seconds from 0 on (0: no limit), not {self.timeout!r}"
        if self.max_age is not None and self.max_age <= 0:
            yield f"max_age is a number of seconds above 0, not {self.max_age!r}"
        if self.max_attempts is not None and not (
            _is_whole(self.max_attempts) and 1 <= self.max_attempts <= ATTEMPTS_MOST
        ):
            yield f"max_attempts is a whole number from 1 to {ATTEMPTS_MOST}"


def check_name(name: object) -> None:
    """Raise `ParamError` for what no job can be named."""
    if not _is_name(name):
        raise ParamError(_no_name(name))


def _no_name(value: object) -> str:
    return f"a job's name is 1 to {NAME_BYTES_MOST} bytes of UTF-8, not {value!r:.80}"


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most and value.isprintable()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether it is a number that a clock could show: finite, and no bool."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _is_name(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return 0 < len(value.encode()) <= NAME_BYTES_MOST
    except UnicodeEncodeError:
        return False
