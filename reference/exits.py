"""Every exit code, and what is made of a program's."""

import os

from qsuper import cli, exits
from qsuper.cli import status
from qsuper.tasks.programs import run
from reference import docstrings
from reference.markdown import page, table

_VERBS = (
    (0, "any verb", "done; `status`: it runs, degraded or not; `run`: stopped on request"),
    (
        cli.FAILED,
        "any verb",
        "not done; stderr says why, and what to do. `check`: something is not in"
        " place, with `--live` also degraded or not running",
    ),
    (cli.MISUSED, "any verb", "called wrongly; stderr names the option and the verb's `--help`"),
    (status.NOT_RUNNING, "`status`", "it does not run"),
    (status.UNKNOWN, "`status`", "whether it runs cannot be told"),
    (cli.INTERRUPTED, "any verb", "interrupted with Ctrl-C"),
)


def render() -> str:
    said = docstrings.of(exits.Exit)
    programs = [
        (str(os.EX_OK), "done"),
        (str(run.LATER), "not now: run again later, and the attempt does not count"),
        *((str(code), f"dead at once: {why}") for code, why in run.HOPELESS.items()),
        ("any other, or a signal", "a failed attempt"),
    ]
    return page(
        "Exit codes",
        "## Of the command line",
        table(("code", "of", "meaning"), [(str(code), of, what) for code, of, what in _VERBS]),
        "Errors are one line each on stderr. `QSUPER_DEBUG=1` shows a traceback instead.",
        "## Of the daemon's children",
        "How a child ended stands in `qsuper status` and in the log.",
        table(
            ("code", "name", "meaning"),
            [(str(one.value), one.name, said[one.name]) for one in exits.Exit],
        ),
        "## Of programs that are tasks",
        table(("code", "what becomes of the job"), programs),
        "[Programs as tasks](../programs.md) says more.",
    )
