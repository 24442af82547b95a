"""One job → its outcome: hooks, the task's code, hooks."""

import logging
import traceback
from collections.abc import Sequence

from qsuper.errors import QsuperError
from qsuper.job import Buried, Cancelled, Failed, Job, Outcome
from qsuper.tasks import function
from qsuper.tasks.current import CurrentJob, being
from qsuper.tasks.ending import Cancelling, SoftTimeout
from qsuper.tasks.hooks import Hooks, call
from qsuper.tasks.registry import Task

TIMED_OUT = "ran longer than its time-out"

log = logging.getLogger("qsuper.hooks")


class JobFailed(QsuperError):
    """What `on_failure` is told where no exception of the task's own says why."""


def run(task: Task, job: Job, current: CurrentJob, hooks: Sequence[Hooks] = ()) -> Outcome:
    """Run the code of one job. Only `Aborted` comes out as an exception."""
    with being(current):
        if not hooks:
            return _run(task, job, current)
        return _hooked(task, job, current, hooks)


def _run(task: Task, job: Job, current: CurrentJob) -> Outcome:
    try:
        return function.run(task, job, current)
    except SoftTimeout as cause:
        return Failed(TIMED_OUT, traceback.format_exc(), cause=cause)
    except Cancelling:
        return Cancelled()


def _hooked(task: Task, job: Job, current: CurrentJob, hooks: Sequence[Hooks]) -> Outcome:
    outcome: Outcome | None = None
    try:
        for each in hooks:
            call(each.before, current)
        outcome = _run(task, job, current)
        for each in hooks:
            if isinstance(outcome, Failed | Buried):
                call(each.on_failure, current, outcome.cause or JobFailed(outcome.error))
            call(each.after, current)
    except SoftTimeout as cause:
        if outcome is None:
            return Failed(TIMED_OUT, traceback.format_exc(), cause=cause)
        log.warning("the hooks of %s were cut off by its time-out", current)
    except Cancelling:
        return outcome or Cancelled()
    return outcome
