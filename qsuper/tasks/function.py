"""Runs a task that is a Python function: one job → its outcome, whatever the function does."""

import asyncio
import inspect
import time
import traceback

from qsuper.errors import ParamError
from qsuper.failpoint import failpoint
from qsuper.job import Buried, Done, Failed, Job, Outcome
from qsuper.tasks.ending import Aborted, SoftTimeout
from qsuper.tasks.registry import Task

ERROR_LENGTH_MOST = 2000
TOOK_MS_MOST = 2**31 - 1
"""What the column holds."""
TIMED_OUT = "ran longer than its time-out"


def run(task: Task, job: Job) -> Outcome:
    """Decode, check, call. Only `Aborted` comes out as an exception."""
    started = time.perf_counter()
    try:
        args, kwargs = task.codec.decode(job.param)
        task.bind(args, kwargs)
    except ParamError as error:
        return Buried(str(error))
    try:
        failpoint("in-code")
        result = task.handler(*args, **kwargs)
        if inspect.iscoroutine(result):
            asyncio.run(result)
        failpoint("code-returned")
    except Aborted:
        raise
    except SoftTimeout:
        return Failed(TIMED_OUT, traceback.format_exc(), _since(started))
    except BaseException as error:
        return Failed(_in_words(error), traceback.format_exc(), _since(started))
    return Done(_since(started))


def _since(started: float) -> int:
    return min(int((time.perf_counter() - started) * 1000), TOOK_MS_MOST)


def _in_words(error: BaseException) -> str:
    try:
        words = str(error)
    except Exception:
        words = "(its message cannot be shown)"
    name = type(error).__qualname__
    return f"{name}: {words}"[:ERROR_LENGTH_MOST] if words else name
