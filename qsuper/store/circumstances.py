"""What bears on one job: its row, the last attempt that failed, who comes before it, who could run
it, who has the slots that it waits for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qsuper.errors import NoSuchJob
from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.counting import CAP
from qsuper.store.enqueueing import Writer

_ROW = Statement(
    """
    SELECT id, queue, task, name, status, priority, attempt, max_attempts, timeout, max_age,
        worker, claims, cancel, held_by, progress, took_ms,
        {unix:run_at} - {unix_now}, {unix_now} - {unix:mtime},
        {unix_now} - {unix:started_at}, {unix_now} - {unix:put_off_since}
    FROM queue WHERE id = :id
    """
)
_LAST = Statement(
    """
    SELECT attempt, outcome, error, claims, {unix_now} - {unix:ended_at} FROM attempts
    WHERE job_id = :id ORDER BY claims DESC LIMIT 1
    """
)
_COUNT = "SELECT COUNT(*) FROM (SELECT 1 FROM queue WHERE {where} LIMIT {most}) counted"
_BEFORE = ("priority < :priority", "priority = :priority AND id < :id")
# Two ranges of the index, one after the other: an OR of them walks the whole queue.
_AHEAD, _HELD_AHEAD = (
    tuple(
        Statement(_COUNT.format(where=f"{first} AND {before}", most=CAP + 1)) for before in _BEFORE
    )
    for first in ("queue = :queue AND status = 0", "held_by = :held_by AND {status} = 6")
)
_RUNNING = Statement(_COUNT.format(where="queue = :queue AND status = 2", most=CAP + 1))
_SLOTS = Statement(
    """
    SELECT limits.job_id, {unix_now} - {unix:queue.started_at} FROM limits
    JOIN queue ON queue.id = limits.job_id AND queue.claims = limits.claims AND queue.status = 2
    WHERE limits.name = :name ORDER BY limits.slot
    """
)
_FREE_IN = Statement("SELECT free_at - {unix_now} FROM rates WHERE name = :name")


@dataclass(frozen=True, slots=True)
class Row:
    """The job as its row has it. Times are seconds before now, on the database's clock."""

    id: int
    queue: str
    task: str
    name: str | None
    state: State
    priority: int
    attempt: int
    max_attempts: int | None
    timeout: float | None
    max_age: float | None
    worker: str | None
    claims: int
    cancel: bool
    held_by: str | None
    progress: str | None
    took_ms: int | None
    due_in: float
    """From now to `run_at`; negative once it has been."""
    so_for: float
    """Since it was changed last."""
    started: float
    put_off: float | None


@dataclass(frozen=True, slots=True)
class Last:
    """The newest attempt that did not succeed."""

    attempt: int
    outcome: str
    error: str
    claims: int
    ago: float


def row(writer: Writer, job_id: int) -> Row:
    """Raises `NoSuchJob`."""
    rows = writer.rows(_ROW, id=job_id)
    if not rows:
        raise NoSuchJob(f"there is no job {job_id}")
    values: list[Any] = list(rows[0])
    if isinstance(values[3], bytes):
        values[3] = values[3].decode("utf-8", "replace")
    values[4], values[12] = State(values[4]), bool(values[12])
    # What cannot be read as a date is taken for now.
    values[16:19] = [float(value or 0.0) for value in values[16:19]]
    values[19] = None if values[19] is None else float(values[19])
    return Row(*values)


def last(writer: Writer, job_id: int) -> Last | None:
    rows = writer.rows(_LAST, id=job_id)
    if not rows:
        return None
    attempt, outcome, error, claims, ago = rows[0]
    return Last(attempt, outcome, error or "", claims, float(ago or 0.0))


def ahead(writer: Writer, job: Row) -> int:
    """Ready jobs of its queue that are taken before it, up to `CAP`; more reads `CAP + 1`."""
    return _before(writer, _AHEAD, job, queue=job.queue)


def held_ahead(writer: Writer, job: Row) -> int:
    """Held jobs of its limit that are taken before it, counted alike."""
    return _before(writer, _HELD_AHEAD, job, held_by=job.held_by)


def _before(writer: Writer, statements: Sequence[Statement], job: Row, **which: str | None) -> int:
    count = _count(writer, statements[0], priority=job.priority, **which)
    if count <= CAP:
        count += _count(writer, statements[1], priority=job.priority, id=job.id, **which)
    return min(count, CAP + 1)


def running(writer: Writer, queue: str) -> int:
    """Jobs of a queue that are with workers, counted alike."""
    return _count(writer, _RUNNING, queue=queue)


def _count(writer: Writer, statement: Statement, **which: Any) -> int:
    return int(writer.rows(statement, **which)[0][0])


def slots(writer: Writer, limit: str) -> list[tuple[int, float]]:
    """The jobs that have a limit's slots, each with the seconds for which it has run."""
    return [(int(job), float(ago or 0.0)) for job, ago in writer.rows(_SLOTS, name=limit)]


def free_in(writer: Writer, rate: str) -> float | None:
    """Seconds until the next start under a rate; None when nothing is known of it."""
    rows = writer.rows(_FREE_IN, name=rate)
    return float(rows[0][0]) if rows else None
