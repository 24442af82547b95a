"""A claimed job, and what may come of it."""

from dataclasses import dataclass, field
from typing import Any

DEFAULT_QUEUE = "default"
NAME_BYTES_MOST = 255
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
    name: str | None = None
    waited_since: float | None = None
    """Unix time since which its task was put off as unknown."""


@dataclass(frozen=True, slots=True)
class Done:
    """The code returned."""

    took_ms: int


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed; another follows while attempts are left."""

    error: str
    traceback: str | None = None
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class Buried:
    """Hopeless: no further attempt would go better."""

    error: str
    traceback: str | None = None
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class PutOff:
    """Not now and not here; the attempt does not count."""

    why: str


Outcome = Done | Failed | Buried | PutOff


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be enqueued, its param already encoded."""

    task: str
    param: str | None = None
    queue: str = DEFAULT_QUEUE
    name: str | None = None
    priority: int = 0
    delay: float | None = None
    """Seconds from now, on the database's clock."""
    at: float | None = None
    """Unix time; instead of `delay`."""
    max_attempts: int | None = None
    timeout: float | None = None
    headers: dict[str, Any] = field(default_factory=dict)
