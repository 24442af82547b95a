"""One job → its outcome: hooks, the task's code, hooks."""

import logging
import os
import traceback
from collections.abc import Sequence

from qsuper.errors import QsuperError
from qsuper.exits import Exit
from qsuper.job import Buried, Cancelled, Done, Failed, Job, Outcome
from qsuper.tasks import function
from qsuper.tasks.current import CurrentJob, being
from qsuper.tasks.ending import Cancelling, SoftTimeout
from qsuper.tasks.hooks import Hooks, call
from qsuper.tasks.programs import run as programs
from qsuper.tasks.registry import Task

TIMED_OUT = "ran longer than its time-out"

log = logging.getLogger("qsuper.hooks")


class JobFailed(QsuperError):
    """What `on_failure` is told where no exception of the task's own says why."""


def run(task: Task, job: Job, current: CurrentJob, hooks: Sequence[Hooks] = ()) -> Outcome:
    """Run the code of one job, and the hooks around it. Only `Aborted` comes out of it."""
    outcome = attempt(task, job, current, hooks)
    if hooks:
        tell(outcome, current, hooks)
    return outcome


def attempt(task: Task, job: Job, current: CurrentJob, hooks: Sequence[Hooks] = ()) -> Outcome:
    """Call what is to be called before, and run the code."""
    with being(current):
        if not hooks:
            return _run(task, job, current)
        own = os.getpid()
        try:
            for each in hooks:
                call(each.before, current)
        except SoftTimeout as cause:
            return Failed(TIMED_OUT, traceback.format_exc(), cause=cause)
        except Cancelling:
            return Cancelled()
        finally:
            _end_copy(own, None)
        return _run(task, job, current)


def tell(outcome: Outcome, current: CurrentJob, hooks: Sequence[Hooks]) -> None:
    """Call what is to be called of a failure, and what is to be called after."""
    own = os.getpid()
    try:
        with being(current):
            if isinstance(outcome, Failed | Buried):
                for each in hooks:
                    call(each.on_failure, current, outcome.cause or JobFailed(outcome.error))
            for each in hooks:
                call(each.after, current)
    except (SoftTimeout, Cancelling):
        log.warning("the hooks of %s were cut off", current)
    finally:
        _end_copy(own, None)


def _run(task: Task, job: Job, current: CurrentJob) -> Outcome:
    own = os.getpid()
    outcome: Outcome | None = None
    try:
        if task.program is not None:
            outcome = programs.run(task.program, task, job, current)
        else:
            outcome = function.run(task, job, current)
    except SoftTimeout as cause:
        # Of a program it would tell where we have waited for it.
        where = traceback.format_exc() if task.program is None else None
        return Failed(TIMED_OUT, where, cause=cause)
    except Cancelling:
        return Cancelled()
    finally:
        _end_copy(own, outcome)
    return outcome


def _end_copy(own: int, outcome: Outcome | None) -> None:
    """The code forked and let the copy return, too: it must not become a second worker of this
    one's name, connection and batch."""
    if os.getpid() != own:
        os._exit(Exit.DRAINED if isinstance(outcome, Done) else Exit.BUG)
