"""Timers and watched keys that fired lately, and how late.

The ledger says when a key's end was noticed, its job says how: no index leads from the one to the
other, so the newest jobs are looked through for those that watches have made.
"""

import json
from dataclasses import dataclass
from typing import Any

from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

LATELY = 1000
"""Newest jobs that are looked through."""
_LEDGER_MOST = 200
_PARAM_MOST = 2000

_LEDGER = Statement(
    f"""
    SELECT db, name, fired, noticed FROM watched_keys WHERE state = 1
    ORDER BY deadline DESC LIMIT {_LEDGER_MOST}
    """
)
_JOBS = Statement(
    f"""
    SELECT queue.id, queue.name, queue.task, queue.status, queue.attempt, queue.headers,
        SUBSTR(queue.param, 1, {_PARAM_MOST}), {{unix:queue.run_at}}, {{unix:queue.started_at}}
    FROM (SELECT id FROM queue ORDER BY id DESC LIMIT {LATELY}) newest
    JOIN queue ON queue.id = newest.id
    WHERE queue.headers LIKE '%"watch"%' OR queue.name IS NOT NULL
    ORDER BY queue.id DESC
    """
)


@dataclass(frozen=True, slots=True)
class FiredKey:
    """The end of a watched key that became a job."""

    db: int
    key: bytes
    at: float
    """Unix time at which it was to expire; where that was not known, at which its end was seen."""
    late: float
    """Seconds from then until its end was noticed."""
    how: str | None
    """`observed` or `presumed`; None where the job is not among the newest."""
    job_id: int | None


@dataclass(frozen=True, slots=True)
class FiredTimer:
    """A named job that has begun."""

    job_id: int
    name: str
    task: str
    state: State
    at: float
    """Unix time at which it was due."""
    late: float
    """Seconds from then until it began."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A job that a watch has made."""

    job_id: int
    how: str
    param: str


def fired(connection: Connection, most: int) -> tuple[list[FiredTimer], list[FiredKey]]:
    """Up to so many of each, the latest first."""
    timers: list[FiredTimer] = []
    made: dict[tuple[int, int], list[_Made]] = {}
    for job_id, name, task, status, attempt, headers, param, run_at, began in connection.rows(
        _JOBS
    ):
        watch = _watch(headers)
        if watch is not None:
            end = (watch.get("db", 0), round(1000 * (watch.get("deadline") or 0)))
            job = _Made(job_id, str(watch.get("how")), _text(param))
            made.setdefault(end, []).append(job)
        elif name is not None and began is not None and run_at is not None and attempt == 1:
            late = max(0.0, float(began) - float(run_at))
            timers.append(FiredTimer(job_id, _text(name), task, State(status), float(run_at), late))
    keys = [
        _key(db, bytes(key), at, noticed, made)
        for db, key, at, noticed in connection.rows(_LEDGER)
        if at is not None
    ]
    timers.sort(key=lambda one: -one.at)
    return timers[:most], keys[:most]


def _key(
    db: int, key: bytes, at: int, noticed: int | None, made: dict[tuple[int, int], list[_Made]]
) -> FiredKey:
    jobs = made.get((db, at), [])
    text = _text(key)
    # Two keys may end in the same millisecond; a param mostly tells whose job it is.
    job = jobs[0] if len(jobs) == 1 else next((one for one in jobs if text in one.param), None)
    late = max(0, (noticed or at) - at) / 1000
    how, job_id = (None, None) if job is None else (job.how, job.job_id)
    return FiredKey(db, key, at / 1000, late, how, job_id)


def _watch(headers: str | None) -> dict[str, Any] | None:
    try:
        found = json.loads(headers or "null")
    except ValueError:
        return None
    watch = found.get("watch") if isinstance(found, dict) else None
    return watch if isinstance(watch, dict) else None


def _text(raw: bytes | str | None) -> str:
    return raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw or ""
