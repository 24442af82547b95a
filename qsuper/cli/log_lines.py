"""A line of the log as people or machines are shown it."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import click

from qsuper.logs.formats import escape
from qsuper.logs.lines import Line, parse

_COLOURS = {"debug": "bright_black", "warn": "yellow", "error": "red", "crit": "red"}
_TRACEBACK = r"\nTraceback (most recent call last):\n"
_FIELDS = ("level", "process", "pid", "job", "attempt", "worker", "task", "message", "traceback")
_INDENT = "    "

Show = Callable[[bytes], Iterator[str]]
"""What is to be printed of one line and of what stands below it."""


def one_line(piece: bytes) -> Iterator[str]:
    """One line, whatever it says: for `grep`."""
    yield from _shown(piece, _folded)


def unfolded(piece: bytes) -> Iterator[str]:
    """In the colour of its level, its traceback below it."""
    yield from _shown(piece, _below)


def json_object(piece: bytes) -> Iterator[str]:
    """One object; what stands below it in the file is left out, being nobody's."""
    line = parse(piece.partition(b"\n")[0])
    if line is not None:
        moment = datetime.fromisoformat(line.stamp).astimezone()
        shown: dict[str, Any] = {"time": moment.isoformat(timespec="milliseconds")}
        shown |= {name: getattr(line, name) for name in _FIELDS}
        yield json.dumps({name: value for name, value in shown.items() if value not in (None, "")})


def _shown(piece: bytes, describe: Callable[[Line], Iterator[str]]) -> Iterator[str]:
    head, _, below = piece.removesuffix(b"\n").partition(b"\n")
    line = parse(head)
    if line is None:
        # The end of one that began before what was read.
        below = piece.removesuffix(b"\n")
    else:
        yield from describe(line)
    if below:
        for text in below.decode("utf-8", "surrogateescape").split("\n"):
            yield escape(text)


def _folded(line: Line) -> Iterator[str]:
    message = f"{line.message}\n{line.traceback}" if line.traceback else line.message
    yield f"{_head(line)} {escape(message)}"


def _below(line: Line) -> Iterator[str]:
    message, trace = line.message, line.traceback.split("\n") if line.traceback else []
    if _TRACEBACK in message:
        # Escaped, as the text format is: a \n of the code's own is taken for a new line, too.
        message, _, rest = message.partition(_TRACEBACK)
        trace = [_TRACEBACK.replace(r"\n", ""), *rest.split(r"\n")]
    text = f"{_head(line)} {escape(message)}"
    colour = _COLOURS.get(line.level)
    yield click.style(text, fg=colour, bold=line.level == "crit") if colour else text
    for part in trace:
        yield f"{_INDENT}{escape(part)}"


def _head(line: Line) -> str:
    parts = [line.stamp, f"{line.level:5}", line.process, str(line.pid)]
    if line.job is not None:
        parts += [f"job={line.job}", f"attempt={line.attempt}"]
        if line.worker is not None and not line.process.endswith(f" {line.worker}"):
            parts.append(f"worker={line.worker}")
        parts.append(f"task={line.task}")
    return escape(" ".join(parts))
