"""Why a job has not run, or why it died: in sentences."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from qsuper.picture.spans import span
from qsuper.states import FINISHED, State
from qsuper.store import cancelling, circumstances, hindrances
from qsuper.store.acking import UNKNOWN_TASK_PATIENCE
from qsuper.store.circumstances import Last, Row
from qsuper.store.counting import CAP
from qsuper.store.enqueueing import Writer
from qsuper.store.hindrances import Reason, of_attempts

_ERROR_MOST = 1000


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say of one job, the weightiest first."""

    id: int
    queue: str
    task: str
    name: str | None
    state: State
    summary: str
    """What it is, and since when."""
    reasons: tuple[Reason, ...]

    @property
    def sentences(self) -> list[str]:
        return [self.summary, *(reason.text for reason in self.reasons)]


def explain(writer: Writer, job_id: int) -> Explanation:
    """Look at everything that bears on the job; raises `NoSuchJob`.

    Reads only, a few rows by index: it may be asked with ten million rows in the tables.
    """
    job = circumstances.row(writer, job_id)
    last = circumstances.last(writer, job_id)
    return Explanation(
        id=job.id,
        queue=job.queue,
        task=job.task,
        name=job.name,
        state=job.state,
        summary=_summary(job),
        reasons=tuple(_REASONS[job.state](writer, job, last)),
    )


def _summary(job: Row) -> str:
    what = f"job {job.id}, task {job.task} of queue {job.queue}"
    if job.name is not None:
        what += f", named {job.name!r}"
    if job.state is State.RUNNING:
        return f"{what}, has been running for {span(job.started)}"
    if job.state in FINISHED:
        return f"{what}, has been {job.state.word} for {span(job.so_for)}"
    return f"{what}, is {job.state.word}"


def _ready(writer: Writer, job: Row, last: Last | None) -> Iterator[Reason]:
    blocked = list(hindrances.of_queue(writer, job))
    yield from blocked
    if job.due_in > 0:
        yield Reason(
            "not due", f"its time is {span(job.due_in)} ahead ({_moment(job.due_in)}): it is parked"
        )
    before = circumstances.ahead(writer, job)
    if before:
        are = _are(before, "ready job")
        yield Reason("behind", f"{are} before it in its queue: more urgent, or older")
    elif not blocked:
        yield Reason("next", "it is the next of its queue: the first worker that is free takes it")
    busy = circumstances.running(writer, job.queue)
    if busy and not blocked:
        yield Reason("busy", f"{_are(busy, 'job')} with the workers of its queue now")
    if last is not None and job.attempt:
        yield _failed(job, last)
    if job.max_age is not None:
        left = job.max_age + job.due_in
        yield Reason("max_age", f"it is discarded if it has not begun within {span(left)}")


def _scheduled(writer: Writer, job: Row, last: Last | None) -> Iterator[Reason]:
    hurry = f"`qsuper run-now {job.id}` does not wait"
    when = f"in {span(job.due_in)} ({_moment(job.due_in)})"
    if last is not None and last.claims == job.claims:
        yield _failed(job, last)
        yield Reason("backoff", f"the next attempt follows {when}; {hurry}")
    elif job.put_off is not None:
        left = UNKNOWN_TASK_PATIENCE - job.put_off
        yield Reason(
            "unknown task",
            f"no worker that met it knows the task {job.task}: it has been put off for"
            f" {span(job.put_off)}, and dies in {span(left)} unless the application registers the"
            " task, or [tasks] names it",
        )
        yield Reason("put off", f"it is tried again {when}")
    elif job.due_in > 0:
        yield Reason("not due", f"it is due {when}; {hurry}")
    if job.due_in <= 0:
        yield Reason(
            "overdue",
            f"it has been due for {span(-job.due_in)}: a scheduler makes it ready at its next look",
        )
    yield from hindrances.of_queue(writer, job)


def _held(writer: Writer, job: Row, last: Last | None) -> Iterator[Reason]:
    yield hindrances.of_limit(writer, job)
    before = circumstances.held_ahead(writer, job)
    if before:
        yield Reason("behind", f"{_are(before, 'held job')} before it at this limit")
    if last is not None and job.attempt:
        yield _failed(job, last)
    yield from hindrances.of_queue(writer, job)


def _running(writer: Writer, job: Row, last: Last | None) -> Iterator[Reason]:
    yield hindrances.of_worker(writer, job)
    if job.cancel:
        yield Reason(
            "ending", "it is being ended: it is cancelled once nothing that it started is left"
        )
    if job.progress:
        yield Reason("progress", f"its progress: {job.progress}")
    if job.timeout:
        left = job.timeout - job.started
        yield Reason(
            "timeout",
            f"its time-out of {span(job.timeout)} ends it in {span(left)} at the latest"
            if left > 0
            else f"its time-out of {span(job.timeout)} is over",
        )
    if last is not None and job.attempt > 1:
        yield _failed(job, last)


def _done(writer: Writer, job: Row, _: Last | None) -> Iterator[Reason]:
    took = "" if job.took_ms is None else f" after {span(job.took_ms / 1000)}"
    yield Reason("done", f"attempt {of_attempts(job.attempt, job)} succeeded{took}")
    yield from _another_try(writer, job, "runs it once more")


def _dead(writer: Writer, job: Row, last: Last | None) -> Iterator[Reason]:
    if last is None:
        yield Reason("died", "nothing was recorded of its death: another program may have set it")
    else:
        tried = f"in attempt {of_attempts(last.attempt, job)}"
        when = tried if last.attempt else "before it ever ran"
        yield Reason("died", f"it died {when}: {_error(last)}")
        yield Reason("record", f"`qsuper show {job.id}` has the traceback and what it printed")
    yield from _another_try(writer, job, "gives it a fresh set of attempts")


def _cancelled(writer: Writer, job: Row, last: Last | None) -> Iterator[Reason]:
    if last is not None and last.claims == job.claims and last.outcome == "discarded":
        yield Reason("discarded", f"it was discarded: {_error(last)}")
    elif job.worker is not None or job.cancel:
        yield Reason("cancelled", "it was ended on request while it ran")
    else:
        yield Reason("cancelled", "it was taken back before it ran")
    yield from _another_try(writer, job, "brings it back")


_REASONS: dict[State, Callable[[Writer, Row, Last | None], Iterator[Reason]]] = {
    State.READY: _ready,
    State.SCHEDULED: _scheduled,
    State.HELD: _held,
    State.RUNNING: _running,
    State.DONE: _done,
    State.DEAD: _dead,
    State.CANCELLED: _cancelled,
}


def _failed(job: Row, last: Last) -> Reason:
    return Reason(
        "failed",
        f"attempt {of_attempts(last.attempt, job)} failed {span(last.ago)} ago: {_error(last)}",
    )


def _another_try(writer: Writer, job: Row, what: str) -> Iterator[Reason]:
    twin = cancelling.twin_of(writer, job.id)
    if twin is not None:
        yield Reason(
            "twin",
            f"its name is taken by job {twin}, which is live: it cannot be retried meanwhile",
        )
    else:
        yield Reason("retry", f"`qsuper retry {job.id}` {what}")


def _error(last: Last) -> str:
    text = " ".join(last.error.split()) or "no reason was given"
    return text if len(text) <= _ERROR_MOST else text[:_ERROR_MOST] + "…"


def _are(count: int, noun: str) -> str:
    if count == 1:
        return f"1 {noun} is"
    return f"more than {CAP:,} {noun}s are" if count > CAP else f"{count:,} {noun}s are"


def _moment(seconds: float) -> str:
    moment = datetime.now(UTC).timestamp() + seconds
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
