"""Which jobs are meant, for those who list, retry or cancel many of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from qsuper.states import State
from qsuper.store.backend import Backend
from qsuper.store.enqueueing import moment

LAST_CLAIM = "(SELECT MAX(latest.claims) FROM attempts latest WHERE latest.job_id = past.job_id)"
"""Picks the newest of a job's recorded attempts, which are called `past`."""

_CHANGED = "CASE WHEN status IN (1, 3, 5) THEN mtime ELSE ctime END"
# Not EXISTS: MariaDB would look through all attempts there are, for each page (140 ms; measured).
_ERROR = (
    "INSTR((SELECT past.error FROM attempts past WHERE past.job_id = queue.id"
    " ORDER BY past.claims DESC LIMIT 1), :error) > 0"
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Jobs that fit all that is given; None means any."""

    state: State | None = None
    queue: str | None = None
    task: str | None = None
    name: str | None = None
    error: str | None = None
    """A part of the last attempt's error, letter by letter."""
    since: float | None = None
    """Unix time from which on it finished; one that has not finished: was enqueued."""
    until: float | None = None
    """Unix time before which it did."""

    def conditions(self, backend: Backend) -> tuple[tuple[str, ...], dict[str, Any]]:
        """What a row of `queue` must fulfil besides state and queue, and the parameters of that."""
        found = tuple(self._conditions(backend))
        return tuple(text for text, _, _ in found), {name: value for _, name, value in found}

    def _conditions(self, backend: Backend) -> Iterator[tuple[str, str, Any]]:
        if self.task is not None:
            yield "task = :task", "task", self.task
        if self.name is not None:
            raw = self.name.encode() if backend.name == "mysql" else self.name
            yield "name = :name", "name", raw
        if self.error is not None:
            yield _ERROR, "error", self.error
        if self.since is not None:
            yield f"{_CHANGED} >= :since", "since", moment(self.since, backend)
        if self.until is not None:
            yield f"{_CHANGED} < :until", "until", moment(self.until, backend)
