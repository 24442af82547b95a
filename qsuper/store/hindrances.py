"""What keeps a job from being run: its queue, its limit, the loss of who had it."""

from collections.abc import Iterator
from dataclasses import dataclass

from qsuper.picture.spans import span
from qsuper.store import circumstances, nodes, pausing
from qsuper.store.circumstances import Row
from qsuper.store.enqueueing import Writer

RATE = "rate:"
"""Begins `held_by` of a job that waits for its task's rate, not for a slot."""
_NAMED_MOST = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that bears on the job."""

    kind: str
    """A word for programs: `paused`, `limit`, `backoff`, `died` and so on."""
    text: str
    """A sentence for people; what is to be typed stands in backticks."""


def of_queue(writer: Writer, job: Row) -> Iterator[Reason]:
    """What keeps the whole queue from being worked on."""
    known = nodes.everyone(writer)
    alive = [node for node in known if node.alive]
    if not alive:
        heard = min(known, key=lambda node: node.silent_for, default=None)
        of = f" ({heard.host} was heard of {span(heard.silent_for)} ago)" if heard else ""
        yield Reason("no daemon", f"no daemon is alive{of}; start `qsuper run`")
    elif not any(node.workers.get(job.queue) for node in alive):
        hosts = ", ".join(sorted({node.host for node in alive})[:_NAMED_MOST])
        yield Reason(
            "no workers",
            f"no live node ({hosts}) has workers for queue {job.queue}: give it some by"
            f" [queues.{job.queue}] in the configuration, or by `qsuper scale`",
        )
    if job.queue in pausing.paused_queues(writer):
        yield Reason(
            "paused",
            f"queue {job.queue} is paused on every node; `qsuper resume {job.queue}` lets it go on",
        )


def of_limit(writer: Writer, job: Row) -> Reason:
    """What a held job waits for."""
    limit = job.held_by or ""
    if limit.startswith(RATE):
        free_in = circumstances.free_in(writer, limit)
        when = f"; the next start is in {span(free_in)}" if free_in and free_in > 0 else ""
        return Reason("rate", f"the task {job.task} may start only so often{when}")
    taken = circumstances.slots(writer, limit)
    if not taken:
        return Reason("limit", f"its limit {limit} has room again: it is made ready in a moment")
    who = ", ".join(f"job {job} (for {span(ago)})" for job, ago in taken[:_NAMED_MOST])
    more = f" and {len(taken) - _NAMED_MOST} more" if len(taken) > _NAMED_MOST else ""
    return Reason("limit", f"it waits for its limit {limit}, which is taken by {who}{more}")


def of_worker(writer: Writer, job: Row) -> Reason:
    """Who has a running job, and whether that is still true."""
    attempt = f"attempt {of_attempts(job.attempt, job)}"
    if job.worker is None:
        return Reason("stray", "it has no worker: another program wrote it so; it is given back")
    boot = job.worker.partition("-")[0]
    node = next((one for one in nodes.everyone(writer) if one.boot == boot), None)
    if node is None:
        return Reason(
            "stray",
            f"{attempt} is with the worker {job.worker} of a node that is no more: it is given back"
            " by the next look of a daemon that is alive",
        )
    if not node.alive:
        return Reason(
            "lost",
            f"{attempt} is with the worker {job.worker} on {node.host}, which has not been heard of"
            f" for {span(node.silent_for)}: another node takes it back once that is sure",
        )
    return Reason("running", f"{attempt} is with the worker {job.worker} on {node.host}")


def of_attempts(attempt: int, job: Row) -> str:
    """`2 of 5`, or `2` where the task says how many there may be."""
    return str(attempt) if job.max_attempts is None else f"{attempt} of {job.max_attempts}"
