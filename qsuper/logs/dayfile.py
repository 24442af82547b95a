"""Where lines go: a file a day that many processes append to, or standard output."""

import os
import re
import stat
import time
from datetime import date, timedelta
from pathlib import Path
from select import PIPE_BUF
from typing import Protocol

LINE_MOST = 64 * 1024
"""Bytes of the longest line in a file."""

_FILE_NAME = re.compile(r"qsuper-(\d{4}-\d{2}-\d{2})\.log", re.ASCII)
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_NO_DAY = (0.0, 0.0)


class Output(Protocol):
    """Something whole lines are written to."""

    line_most: int
    """Bytes of the longest line that stays whole beside other processes' lines."""

    def write(self, line: bytes, now: float) -> None:
        """Write one line in one piece; OSError when it did not get there whole."""

    def reopen(self) -> None:
        """Open the file anew with the next line; safe in a signal handler."""

    def close(self) -> None:
        """Give the descriptor back."""


class DayFile:
    """`<folder>/qsuper-YYYY-MM-DD.log` of the local day: nothing is renamed at midnight.

    Each line is one `write` to a descriptor opened for appending, which the kernel does not
    interleave with those of other processes.
    """

    line_most = LINE_MOST

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor = -1
        self._day = _NO_DAY
        self._stale = False
        self._torn = False

    def write(self, line: bytes, now: float) -> None:
        """Append the line to the file of the day that `now` (Unix time) is in."""
        start, end = self._day
        # Both ends: a clock that was set back belongs to the day before.
        if self._stale or not start <= now < end:
            self._stale = False
            self._open(now)
        if self._torn:
            # A full disk cut the last line short; what follows must not be glued to it.
            line = b"\n" + line
        written = os.write(self._descriptor, line)
        self._torn = written < len(line)
        if self._torn:
            raise OSError(0, "the line was cut short")

    def reopen(self) -> None:
        """Open the file anew with the next line; safe in a signal handler."""
        self._stale = True

    def close(self) -> None:
        """Give the descriptor back; the next line opens the file again."""
        self._day = _NO_DAY
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self, now: float) -> None:
        self.close()
        today = time.localtime(now)
        path = self.folder / file_name(date(*today[:3]))
        try:
            self._descriptor = os.open(path, _APPEND, 0o640)
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, _APPEND, 0o640)
        self._torn = False
        self._day = local_day(now)


class StandardOutput:
    """A descriptor of its own for what is standard output now: a worker points 1 elsewhere."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = os.dup(descriptor)
        # A pipe keeps only so much whole when several processes write to it.
        piped = stat.S_ISFIFO(os.fstat(self._descriptor).st_mode)
        self.line_most = PIPE_BUF if piped else LINE_MOST

    def write(self, line: bytes, now: float) -> None:  # noqa: ARG002
        """Write the line; there are no days here."""
        if os.write(self._descriptor, line) < len(line):
            raise OSError(0, "the line was cut short")

    def reopen(self) -> None:
        """Nothing: whoever reads it keeps the file."""

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)


def file_name(day: date) -> str:
    """The name of a day's file."""
    return f"qsuper-{day.isoformat()}.log"


def local_day(now: float) -> tuple[float, float]:
    """Begin and end (Unix times) of the local day that `now` is in, 23 to 25 hours long."""
    year, month, day, *_ = time.localtime(now)
    start, end = (
        time.mktime((year, month, number, 0, 0, 0, 0, 0, -1)) for number in (day, day + 1)
    )
    # Where clocks are put forward at midnight there is no 0:00, and mktime may miss the day.
    return min(start, now), end if end > now else now + 60


def remove_old(folder: Path | str, keep_days: int, today: date) -> list[str]:
    """Remove the day-files more than `keep_days` days older than `today`; their names.

    Whatever is not named exactly like a day-file stays, and so does what cannot be removed.
    """
    oldest = today - timedelta(days=min(keep_days, today.toordinal() - 1))
    removed = []
    for name in _names(Path(folder)):
        match = _FILE_NAME.fullmatch(name)
        if match is not None and _is_before(match[1], oldest) and _remove(Path(folder, name)):
            removed.append(name)
    return removed


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_before(day: str, oldest: date) -> bool:
    try:
        return date.fromisoformat(day) < oldest
    except ValueError:
        return False


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        # Another node's keeper was first, or it is no file.
        return False
    return True
