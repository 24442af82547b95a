"""How a claimed job ends: every write is guarded by id, status and worker, and looks at its count.

What is written for a claim that is no longer the worker's changes nothing and is said so: the
caller hears 0 (`fenced`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from qsuper.failpoint import failpoint
from qsuper.job import Job
from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.groups import count_down
from qsuper.store.locked import run_around_locks

ERROR_BYTES = 16_000
TRACEBACK_BYTES = 200_000
OUTPUT_BYTES = 64_000
UNKNOWN_TASK_PATIENCE = 3600.0
"""Seconds for which a task that nobody here knows is put off: a rolling deploy is shorter."""

_COMPLETE = Statement(
    """
    UPDATE queue SET status = 1, took_ms = :took_ms, mtime = {now}
    WHERE id IN {ids} AND {status} = 2 AND worker = :worker
    """
)
_COMPLETE_WITH = Statement(
    """
    UPDATE queue SET status = 1, took_ms = :took_ms, result = :result, mtime = {now}
    WHERE id = :id AND status = 2 AND worker = :worker AND claims = :claims
    """
)
_GUARD = "WHERE id = :id AND status = 2 AND worker = :worker AND claims = :claims"

_RETRY = Statement(
    f"""
    UPDATE queue SET status = CASE WHEN cancel = 1 THEN 5 ELSE 4 END, worker = NULL,
        took_ms = :took_ms, run_at = {{in:wait}}, mtime = {{now}} {_GUARD}
    """
)
_REQUEUE = Statement(
    f"""
    UPDATE queue SET status = CASE WHEN cancel = 1 THEN 5 ELSE 0 END, worker = NULL,
        took_ms = NULL, mtime = {{now}} {_GUARD}
    """
)
_BURY = Statement(
    f"""
    UPDATE queue SET status = CASE WHEN cancel = 1 THEN 5 ELSE 3 END, took_ms = :took_ms,
        mtime = {{now}} {_GUARD}
    """
)
_GIVE_UP = Statement(
    f"UPDATE queue SET status = 5, took_ms = :took_ms, mtime = {{now}} {_GUARD}",
)
_SNOOZE = Statement(
    f"""
    UPDATE queue SET status = CASE WHEN cancel = 1 THEN 5 ELSE 4 END, worker = NULL,
        attempt = {{less_one}}, run_at = {{in:wait}}, mtime = {{now}} {_GUARD}
    """
)
_PUT_OFF = Statement(
    f"""
    UPDATE queue SET status = CASE WHEN cancel = 1 THEN 5 ELSE 4 END, worker = NULL,
        attempt = {{less_one}}, run_at = {{in:wait}}, mtime = {{now}},
        put_off_since = COALESCE(put_off_since, {{now}})
    {_GUARD} AND (put_off_since IS NULL OR put_off_since > {{ago:patience}})
    """
)
# The key may be taken where somebody emptied `queue` and its numbers began anew.
_RECORD = Statement(
    """
    INSERT INTO attempts (job_id, claims, attempt, worker, node, started_at, outcome, error,
        traceback, output)
    SELECT id, claims, :attempt, :worker, :node, started_at, :outcome, :error, :traceback, :output
    FROM queue WHERE id = :id
    {on_same_attempt} attempt = :attempt, worker = :worker, node = :node, outcome = :outcome,
        error = :error, traceback = :traceback, output = :output, ended_at = {now}
    """
)
_END_UNRUN = Statement(
    "UPDATE queue SET status = :status, claims = claims + 1, run_at = {now}, mtime = {now}"
    " WHERE id = :id AND status = 0 AND claims = :claims"
)


def complete(connection: Connection, worker: str, ids: list[int], took_ms: int) -> int:
    """Done, all with the same `took_ms`. Returns how many were still this worker's.

    When somebody's transaction holds one of the rows, the others are acked and the count is
    short; `still_to_ack` tells which.
    """
    count = run_around_locks(
        connection, _COMPLETE, ids, State.RUNNING, worker=worker, took_ms=took_ms
    )
    failpoint("ack-sent")
    return count


_GROUP_OF = Statement("SELECT group_id FROM queue WHERE id = :id")
_TO_ACK = Statement("SELECT id FROM queue WHERE id IN {ids} AND {status} = 2 AND worker = :worker")


def still_to_ack(connection: Connection, worker: str, ids: list[int]) -> list[int]:
    """Those of `ids` that are still running under `worker`: their ack has not been written."""
    return [row[0] for row in connection.rows(_TO_ACK, ids=ids, worker=worker)]


def complete_with(
    connection: Connection, worker: str, job: Job, *, took_ms: int, result: str | None
) -> bool:
    """Done, with what it returned; and one less that its group waits for."""
    with connection.transaction():
        mine = complete_in(connection, worker, job, took_ms=took_ms, result=result)
    failpoint("ack-sent")
    return mine


def complete_in(
    connection: Connection, worker: str, job: Job, *, took_ms: int, result: str | None
) -> bool:
    """The same in a transaction that is open already."""
    group = connection.row(_GROUP_OF, id=job.id) if job.grouped else None
    guard = {"id": job.id, "worker": worker, "claims": job.claims}
    if not connection.run(_COMPLETE_WITH, took_ms=took_ms, result=result, **guard):
        return False
    if group is not None and group[0] is not None:
        count_down(connection, group[0])
    return True


@dataclass(frozen=True, slots=True)
class Report:
    """What is kept of an attempt that did not succeed."""

    node: str
    error: str
    traceback: str | None = None
    output: str | None = None
    took_ms: int | None = None


def retry(connection: Connection, worker: str, job: Job, report: Report, *, wait: float) -> bool:
    """The attempt failed and another follows in `wait` seconds (0: at once)."""
    if wait > 0:
        more = {"wait": wait, "took_ms": report.took_ms}
        return _end(connection, worker, job, report, "failed", _RETRY, more)
    return _end(connection, worker, job, report, "failed", _REQUEUE, {})


def bury(connection: Connection, worker: str, job: Job, report: Report) -> bool:
    """No attempt is left, or none would help: dead, with its reason."""
    return _end(connection, worker, job, report, "dead", _BURY, {"took_ms": report.took_ms})


def discard(connection: Connection, worker: str, job: Job, report: Report) -> bool:
    """Not worth running: cancelled, with the reason where attempts stand."""
    return _end(connection, worker, job, report, "discarded", _GIVE_UP, {"took_ms": report.took_ms})


def cancelled(connection: Connection, worker: str, job: Job, report: Report) -> bool:
    """Ended on request; its process tree is gone."""
    return _end(connection, worker, job, report, "cancelled", _GIVE_UP, {"took_ms": report.took_ms})


def snooze(connection: Connection, worker: str, job: Job, *, wait: float) -> bool:
    """The task wants to run in `wait` seconds; un-counted."""
    guard = {"id": job.id, "worker": worker, "claims": job.claims}
    return bool(connection.run(_SNOOZE, wait=wait, **guard))


def put_off(connection: Connection, worker: str, job: Job, *, node: str, wait: float) -> bool:
    """Nobody here knows the task: later, un-counted; after an hour of that, dead."""
    count = connection.run(
        _PUT_OFF,
        id=job.id,
        worker=worker,
        claims=job.claims,
        wait=wait,
        patience=UNKNOWN_TASK_PATIENCE,
    )
    if count:
        return True
    why = (
        f"no worker has known the task {job.task!r} for an hour: register it in the application"
        " or under [tasks], and retry the job"
    )
    return bury(connection, worker, job, Report(node, why))


def bury_unrun(connection: Connection, rows: list[tuple[int, int]], why: str) -> int:
    """Ready rows (id, claims) that no worker could ever run: dead, with the reason where attempts
    stand. One that was moved or revived since it was looked at is left alone."""
    return _end_unrun(connection, rows, State.DEAD, "dead", why)


def discard_unrun(connection: Connection, rows: list[tuple[int, int]], why: str) -> int:
    """The same for those that are not worth running any more: cancelled, with the reason."""
    return _end_unrun(connection, rows, State.CANCELLED, "discarded", why)


def _end_unrun(
    connection: Connection, rows: list[tuple[int, int]], state: State, outcome: str, why: str
) -> int:
    ended = 0
    for job_id, claims in rows:
        with connection.transaction():
            if connection.run(_END_UNRUN, id=job_id, claims=claims, status=int(state)):
                ended += 1
                _record(connection, job_id, 0, None, outcome, Report("", why))
    return ended


def _end(
    connection: Connection,
    worker: str,
    job: Job,
    report: Report,
    outcome: str,
    move: Statement,
    more: Mapping[str, float | None],
) -> bool:
    """One transaction: the guarded move, and the record of the attempt if it was ours to make."""
    with connection.transaction():
        if not connection.run(move, id=job.id, worker=worker, claims=job.claims, **more):
            return False
        _record(connection, job.id, job.attempt, worker, outcome, report)
    failpoint("ack-sent")
    return True


def _record(
    connection: Connection,
    job_id: int,
    attempt: int,
    worker: str | None,
    outcome: str,
    report: Report,
) -> None:
    connection.run(
        _RECORD,
        id=job_id,
        attempt=attempt,
        worker=worker,
        node=report.node or None,
        outcome=outcome,
        error=_cut(report.error, ERROR_BYTES),
        traceback=_cut(report.traceback, TRACEBACK_BYTES),
        output=_cut(report.output, OUTPUT_BYTES),
    )


def _cut(text: str | None, most: int) -> str | None:
    """Text that any database takes: no lone surrogates, no NUL, at most `most` bytes."""
    if text is None:
        return None
    raw = text.replace("\0", "\\0").encode("utf-8", "backslashreplace")
    if len(raw) <= most:
        return raw.decode()
    half = most // 2
    return f"{raw[:half].decode(errors='ignore')}\n…\n{raw[-half:].decode(errors='ignore')}"
