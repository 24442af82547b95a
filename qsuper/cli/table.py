"""Jobs as lines of a table."""

import time
from collections.abc import Iterator
from typing import Any

from qsuper.cli.printing import columns, cut, printable
from qsuper.picture import span
from qsuper.states import State

_HEAD = (">ID", "STATE", "QUEUE", "TASK", ">PRIO", ">ATTEMPT", "SINCE", "NAME")
_WITH_ERROR = (State.DEAD.word, State.CANCELLED.word)
_INDENT = "    "


def table(jobs: list[dict[str, Any]], *, width: int) -> Iterator[str]:
    """A line each, and below a dead one why it died."""
    now = time.time()
    head, *lines = columns(_HEAD, [_row(job, now) for job in jobs], width=width)
    yield head
    for job, line in zip(jobs, lines, strict=True):
        yield line
        if job["error"] and job["state"] in _WITH_ERROR:
            error = " ".join(str(job["error"]).split())
            yield cut(f"{_INDENT}{printable(error)}", width)


def _row(job: dict[str, Any], now: float) -> tuple[object, ...]:
    return (
        job["id"],
        job["state"],
        job["queue"],
        job["task"],
        job["priority"],
        _attempts(job),
        _since(job, now),
        job["name"],
    )


def _attempts(job: dict[str, Any]) -> str:
    """`2/5`, or `2` where the task says how many there may be."""
    most = job["max_attempts"]
    return str(job["attempt"]) if most is None else f"{job['attempt']}/{most}"


def _since(job: dict[str, Any], now: float) -> str | None:
    """For how long it is so; for a scheduled one, how long until it may run."""
    if job["state"] == State.SCHEDULED.word and job["run_at"] is not None:
        return f"in {span(job['run_at'] - now)}" if job["run_at"] > now else "due"
    changed = job["started_at"] if job["state"] == State.RUNNING.word else job["mtime"]
    return None if changed is None else span(now - changed)
