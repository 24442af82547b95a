"""The command line: parse, call, print. `main` turns every error into one line and a code."""

import io
import os
import sys
from collections.abc import Iterator, Sequence

import click

from qsuper.cli.commands import qsuper
from qsuper.cli.printing import cut
from qsuper.errors import QsuperError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
"""Exit codes; `status` has others besides."""
DEBUG_VARIABLE = "QSUPER_DEBUG"
_REPEATED_MOST = 80
"""Letters of what was typed that an answer says again."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code. `QSUPER_DEBUG=1` shows tracebacks."""
    _open_what_is_closed()
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
        return _misused(error, sys.argv[1:] if arguments is None else arguments)
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        return _failed(error)
    return code if isinstance(code, int) else 0


def _misused(error: click.UsageError, arguments: Sequence[str]) -> int:
    help_of = error.ctx.command_path if error.ctx else "qsuper"
    message = error.format_message()
    for typed in _parts(arguments):
        for written in (repr(typed), typed):
            message = message.replace(written, cut(written, _REPEATED_MOST))
    message = " ".join(message.split()).removesuffix(".")
    click.echo(f"qsuper: {message}; see `{help_of} --help`", err=True)
    return MISUSED


def _parts(arguments: Sequence[str]) -> Iterator[str]:
    """What was typed and is long: the arguments, and both sides of each `--option=value`."""
    for argument in arguments:
        for typed in (argument, *argument.split("=", 1)):
            if len(typed) > _REPEATED_MOST:
                yield typed


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


def _open_what_is_closed() -> None:
    """Nobody reads what a caller has closed (`>&-`): that is no failure, and no file or socket of
    ours may take its place, where a child would print."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 (it stays open)


def _survive_any_text() -> None:
    """Print what the terminal's encoding lacks, and text that is no UTF-8, as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
