"""Runs a task that is a Python function: one job → its outcome, whatever the function does."""

import asyncio
import inspect
import traceback
from typing import Any

from qsuper.errors import ParamError
from qsuper.failpoint import failpoint
from qsuper.job import Buried, Discarded, Done, Failed, Job, Outcome, Snoozed
from qsuper.tasks.current import CurrentJob, as_json
from qsuper.tasks.ending import Ended
from qsuper.tasks.registry import Task, by_name
from qsuper.tasks.verdict import Discard, Retry, Snooze

ERROR_LENGTH_MOST = 2000
DONE = Done()


def run(task: Task, job: Job, current: CurrentJob) -> Outcome:
    """Decode, check, call. Only an `Ended` comes out as an exception."""
    try:
        args, kwargs = task.codec.decode(job.param)
        task.check(args, kwargs)
        if task.transactional:
            named = by_name(task.name, task.bind(args, kwargs))
            args, kwargs = [], {**named, "connection": current.connection}
    except ParamError as error:
        return Buried(str(error), cause=error)
    try:
        failpoint("in-code")
        value = task.handler(*args, **kwargs)
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
        failpoint("code-returned")
    except Ended:
        raise
    except Snooze as verdict:
        return Snoozed(verdict.wait)
    except Discard as verdict:
        return Discarded(_said(verdict) or "its task discarded it")
    except Retry as verdict:
        words = _said(verdict) or "its task wants another attempt"
        return Failed(words, wait=verdict.wait, cause=verdict)
    except BaseException as error:
        hopeless = isinstance(error, task.no_retry)
        kind = Buried if hopeless else Failed
        return kind(_in_words(error), traceback.format_exc(), cause=error)
    return _done(value) if task.keep_result else DONE


def _done(value: Any) -> Outcome:
    try:
        return Done(as_json(value, "what the task returned"))
    except ParamError as error:
        # Its code has run to the end: another attempt would do everything again, in vain.
        return Buried(str(error), cause=error)


def _in_words(error: BaseException) -> str:
    name, words = type(error).__qualname__, _said(error)
    return f"{name}: {words}"[:ERROR_LENGTH_MOST] if words else name


def _said(error: BaseException) -> str:
    """The error's own words, whatever its class makes of that."""
    try:
        return str(error)
    except Ended:
        raise
    except BaseException:
        return "(its message cannot be shown)"
