"""Groups: when all jobs of one are done, one more job is added.

The group counts the ends of its jobs, each in the transaction that writes that end.
"""

from dataclasses import replace

from qsuper.job import NewJob
from qsuper.store.backend import Statement
from qsuper.store.enqueueing import Writer, insert

_INSERT = Statement(
    """
    INSERT INTO job_groups (pending, task, param, queue, priority)
    VALUES (:pending, :task, :param, :queue, :priority)
    """
)
_COUNT_DOWN = Statement("UPDATE job_groups SET pending = pending - 1 WHERE id = :id")
_THEN = Statement("SELECT pending, task, param, queue, priority FROM job_groups WHERE id = :id")
_CLOSE = Statement("DELETE FROM job_groups WHERE id = :id")


def enqueue_group(writer: Writer, jobs: list[NewJob], then: NewJob) -> list[int]:
    """Add jobs of one group, after whose ends `then` is added: at once where there are none.
    Returns their ids. Needs a transaction."""
    if not jobs:
        insert(writer, then)
        return []
    group = _open(writer, len(jobs), then)
    return [insert(writer, replace(job, group=group)) for job in jobs]


def _open(writer: Writer, pending: int, then: NewJob) -> int:
    return writer.insert(
        _INSERT,
        pending=pending,
        task=then.task,
        param=then.param,
        queue=then.queue,
        priority=then.priority,
    )


def count_down(writer: Writer, group: int) -> None:
    """One of its jobs is done; the last one adds what was waiting for them. In the transaction in
    which the job ends."""
    if not writer.run(_COUNT_DOWN, id=group):
        return
    pending, task, param, queue, priority = writer.rows(_THEN, id=group)[0]
    if pending <= 0:
        insert(writer, NewJob(task, param, queue, priority=priority))
        writer.run(_CLOSE, id=group)
