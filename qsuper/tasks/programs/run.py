"""Runs a task that is a program: one job → its outcome, by its exit code."""

import os
import signal

from qsuper.config import BackoffConfig
from qsuper.errors import ParamError, QsuperError
from qsuper.failpoint import failpoint
from qsuper.job import Buried, Done, Failed, Job, Outcome, Snoozed
from qsuper.tasks import tracing
from qsuper.tasks.current import CurrentJob, as_json
from qsuper.tasks.program import OWN, Program, about
from qsuper.tasks.programs.process import Process
from qsuper.tasks.programs.reports import Reports
from qsuper.tasks.programs.starting import Command, limits_of
from qsuper.tasks.registry import Task

LATER = os.EX_TEMPFAIL
HOPELESS = {
    os.EX_USAGE: "it was called wrongly",
    os.EX_DATAERR: "its param is wrong",
    os.EX_CONFIG: "it is set up wrongly",
}
"""Exit codes after which no further attempt would go better, and their meaning."""
STATUS_LOST = "nobody knows how it ended: its exit status was taken by somebody else"

_CAUSES = {
    signal.SIGXCPU: "it has used up its processor time (rlimits.cpu)",
    signal.SIGXFSZ: "a file grew too large (rlimits.file_size)",
}


def run(program: Program, task: Task, job: Job, current: CurrentJob) -> Outcome:
    """Start it, listen to it, judge its end. Only an `Ended` comes out as an exception."""
    reports = Reports(current)
    try:
        arguments, stdin = program.arguments(job), program.standard_input(job)
        command = _command(program, arguments, job, current)
        failpoint("in-code")
        with Process() as process:
            process.start(command, stdin)
            status = process.wait(reports.hear)
        failpoint("code-returned")
    except ParamError as error:
        return Buried(str(error), cause=error)
    except QsuperError as error:
        return Failed(str(error), cause=error)
    reports.finish()
    return _judge(status, reports, task)


def _command(
    program: Program, arguments: tuple[str, ...], job: Job, current: CurrentJob
) -> Command:
    environ = program.environment(os.environ)
    path = program.locate(environ)
    environ |= tracing.variables()
    environ |= about(job, current)
    # Nothing can have been saved before its first claim.
    if job.claims > 1 and (state := current.state) is not None:
        environ[f"{OWN}STATE"] = as_json(state, "the state")
    limits = tuple(limits_of(program.settings.rlimits))
    return Command(path, arguments, environ, program.cwd, limits)


def _judge(status: int | None, reports: Reports, task: Task) -> Outcome:
    if status is None:
        return Failed(STATUS_LOST, wait=reports.retry_in)
    if status == os.EX_OK:
        return Done(reports.result)
    if status == LATER:
        wait = reports.retry_in
        return Snoozed((task.backoff or BackoffConfig()).base if wait is None else wait)
    if status in HOPELESS:
        return Buried(f"exited with {status}: {HOPELESS[status]}")
    return Failed(_in_words(status), wait=reports.retry_in)


def _in_words(status: int) -> str:
    if status > 0:
        return f"exited with {status}"
    try:
        number = signal.Signals(-status)
    except ValueError:
        return f"was killed by signal {-status}"
    cause = _CAUSES.get(number)
    return f"was killed by {number.name}" + (f": {cause}" if cause else "")
