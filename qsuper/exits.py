"""Exit codes of the children, by name: the master reads them, the children return them."""

import os
import signal
from enum import IntEnum


class Exit(IntEnum):
    """Why a child ended by itself."""

    DRAINED = 0
    """It was asked to, or had nothing more to do."""
    BUG = 1
    """An exception nobody expected."""
    RECYCLED = 10
    """It reached max_jobs, max_age or max_memory, or a job has left it beyond repair; a fresh one
    takes its place at once."""
    CANNOT_BOOT = 11
    """The application cannot be imported, or the like: respawning hot would not help."""
    MASTER_DIED = 12
    """Its master is gone, and so it leaves."""
    GAVE_UP = 13
    """What it needs is refused, and will be refused to every other as well: nobody takes its
    place."""


def describe(status: int) -> str:
    """A wait status in words: `killed by SIGKILL`, `exited with 3`, `cannot boot (exit 11)`."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"killed by {signal.Signals(number).name}"
        except ValueError:
            return f"killed by signal {number}"
    code = os.waitstatus_to_exitcode(status)
    if code == Exit.CANNOT_BOOT:
        return f"could not boot (exit {code})"
    if code == Exit.RECYCLED:
        return f"made room for a fresh one (exit {code})"
    if code == Exit.GAVE_UP:
        return f"gave up (exit {code})"
    return f"exited with {code}"
