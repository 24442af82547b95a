"""Puts the log in place for a process: after it, `logging.getLogger("qsuper.…")` just works."""

import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from qsuper.config import LogConfig
from qsuper.errors import ConfigError
from qsuper.logs.dayfile import DayFile, Output, StandardOutput
from qsuper.logs.formats import FORMATS, Entry, entry

STANDARD_OUTPUT = "-"

Clock = Callable[[], float]


class LogHandler(logging.Handler):
    """Writes each record as one line; drops and counts what cannot be written, never raises."""

    def __init__(
        self,
        output: Output,
        line: Callable[[Entry, int], bytes],
        process: str,
        complaints: int,
        clock: Clock = time.time,
    ) -> None:
        super().__init__()
        self.output = output
        self.process = process
        self.complaints = complaints
        """The descriptor that is told, once, when lines are being dropped."""
        self.dropped = 0
        """Records dropped since this handler was made."""
        self._line = line
        self._clock = clock
        self._unsaid = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record. Its file is that of now, its time stamp that of its making."""
        try:
            line = self._line(entry(record, self.process), self.output.line_most)
            self.output.write(line, self._clock())
        except Exception as error:  # a full disk, or an object whose __str__ fails: the job goes on
            self._drop(error)
            return
        if self._unsaid:
            self._say_what_was_dropped()

    def close(self) -> None:
        """Give the descriptors back."""
        with suppress(OSError):
            self.output.close()
        super().close()

    def _drop(self, error: Exception) -> None:
        self.dropped += 1
        self._unsaid += 1
        if self._unsaid > 1:
            return
        reason = getattr(error, "strerror", None) or type(error).__name__
        complaint = (
            f"qsuper: {self.process} cannot write its log ({reason}); lines are dropped until it "
            "can, make room or look at [log] dir\n"
        )
        with suppress(OSError):
            os.write(self.complaints, complaint.encode("utf-8", "backslashreplace"))

    def _say_what_was_dropped(self) -> None:
        count, self._unsaid = self._unsaid, 0
        text = "the log could be written again; %d lines were dropped before this one"
        self.emit(logging.LogRecord("qsuper.logs", logging.WARNING, "", 0, text, (count,), None))


# Of the first set-up: a worker points its descriptors 1 and 2 elsewhere and may set up again.
_first: dict[int, int] = {}
_installed: list[LogHandler] = []


def setup(log: LogConfig, process: str, *, clock: Clock = time.time) -> LogHandler:
    """Send what this process logs to the day-file (or to standard output), as `process`.

    For each child anew after its fork, and again after the application was imported if need be;
    the newest call counts. ConfigError if the folder cannot be made.
    """
    handler = LogHandler(
        _output(log), FORMATS[log.format], process, _first_descriptor(2), clock=clock
    )
    _uninstall()
    _installed.append(handler)
    root, ours = logging.getLogger(), logging.getLogger("qsuper")
    for logger in (root, ours):
        logger.addHandler(handler)
        logger.setLevel(log.level.upper())
    # An application that sets up its own logging replaces the root's handlers: ours stay.
    ours.propagate = False
    _enable_ours()
    return handler


def reopen() -> None:
    """Open the day-file anew with the next line; safe in a signal handler."""
    for handler in _installed:
        handler.output.reopen()


def close() -> None:
    """Undo `setup`."""
    _uninstall()
    logging.getLogger("qsuper").propagate = True
    for descriptor in _first.values():
        os.close(descriptor)
    _first.clear()


def _output(log: LogConfig) -> Output:
    if log.dir == STANDARD_OUTPUT:
        return StandardOutput(_first_descriptor(1))
    folder = Path(log.dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        mend = "name a folder that can be made, or - for standard output"
        raise ConfigError([f"[log] dir: cannot make {folder}: {error.strerror}; {mend}"]) from None
    return DayFile(folder)


def _first_descriptor(number: int) -> int:
    if number not in _first:
        try:
            _first[number] = os.dup(number)
        except OSError:
            # Started with it closed.
            _first[number] = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    return _first[number]


def _uninstall() -> None:
    for handler in _installed:
        for logger in (logging.getLogger(), logging.getLogger("qsuper")):
            logger.removeHandler(handler)
        handler.close()
    _installed.clear()


def _enable_ours() -> None:
    """Undo what `logging.config` does by default to loggers that its caller did not know."""
    for name in logging.root.manager.loggerDict:
        if name == "qsuper" or name.startswith("qsuper."):
            logging.getLogger(name).disabled = False
