"""The command line: parse, call, print. `main` turns every error into one line and a code."""

import io
import os
import sys
from collections.abc import Sequence

import click

from qsuper.cli.commands import qsuper
from qsuper.errors import QsuperError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
"""Exit codes; `status` has others besides."""
DEBUG_VARIABLE = "QSUPER_DEBUG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code. `QSUPER_DEBUG=1` shows tracebacks."""
    _survive_any_text()
    try:
        code = qsuper.main(arguments, prog_name="qsuper", standalone_mode=False)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough; the flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except click.UsageError as error:
        return _misused(error)
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        return _failed(error)
    return code if isinstance(code, int) else 0


def _misused(error: click.UsageError) -> int:
    help_of = error.ctx.command_path if error.ctx else "qsuper"
    message = " ".join(error.format_message().split()).removesuffix(".")
    click.echo(f"qsuper: {message}; see `{help_of} --help`", err=True)
    return MISUSED


def _failed(error: Exception) -> int:
    if isinstance(error, click.ClickException):
        lines = error.format_message().splitlines()
    elif isinstance(error, QsuperError):
        lines = str(error).splitlines()
    elif isinstance(error, OSError) and error.strerror:
        lines = [f"{error.filename}: {error.strerror}" if error.filename else error.strerror]
    else:
        kind = type(error).__name__
        lines = [f"a mistake of its own: {kind}: {error}; {DEBUG_VARIABLE}=1 shows where"]
    for line in lines:
        click.echo(f"qsuper: {' '.join(line.split())}", err=True)
    return getattr(error, "exit_code", FAILED)


def _survive_any_text() -> None:
    """Print what the terminal's encoding lacks, and text that is no UTF-8, as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
