"""What a job prints: into a capped file of the worker's own, and from there into the log.

A pipe read by a thread would deadlock when the job holds the interpreter. The master truncates
the file when a job floods it.
"""

import fcntl
import io
import logging
import os
import sys
from pathlib import Path
from typing import TextIO

log = logging.getLogger("qsuper.output")

TAIL = 64 * 1024
"""Bytes of a job's output that reach the log; what came before is said to be cut."""
LINES_MOST = 1000
"""The same in lines: each one costs more in the log than it is long."""

# Where nobody who appends could ever have come to. Descriptors that were duplicated from the file
# share its offset, so that it tells them from any other file.
_MARK = 1 << 30


class Output:
    """File descriptors 1 and 2 of this process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        self._flags = fcntl.fcntl(self._file, fcntl.F_GETFL)
        self._texts: tuple[TextIO, TextIO] | None = None
        self._inode = os.fstat(self._file).st_ino
        self._truncate()

    def redirect(self) -> None:
        """From now on what is printed here goes to the file, unbuffered."""
        for descriptor in (1, 2):
            os.dup2(self._file, descriptor)
        self._texts = sys.stdout, sys.stderr = _text_to(1), _text_to(2)
        os.lseek(self._file, _MARK, os.SEEK_SET)

    def collect(self) -> str:
        """Log what was printed since the last time, line by line, and empty the file; returns the
        end of it."""
        found = os.fstat(self._file)
        if found.st_ino != self._inode:
            raise OSError("a job has closed the worker's own descriptors")
        if fcntl.fcntl(self._file, fcntl.F_GETFL) != self._flags:
            # What is no longer appended is written at the mark, behind a gigabyte of nothing.
            fcntl.fcntl(self._file, fcntl.F_SETFL, self._flags)
        size = found.st_size
        if size:
            os.lseek(self._file, _MARK, os.SEEK_SET)
        if not self._in_place():
            self.redirect()
        return self._log(size) if size else ""

    def _in_place(self) -> bool:
        """Whether what a job was lent is still there: the next one shall be able to print."""
        if self._texts is None:
            return False
        out, err = self._texts
        try:
            return (
                sys.stdout is out
                and sys.stderr is err
                and not (out.closed or err.closed)
                and os.lseek(1, 0, os.SEEK_CUR) == os.lseek(2, 0, os.SEEK_CUR) == _MARK
            )
        except (OSError, ValueError):  # closed below, or detached
            return False

    def _log(self, size: int) -> str:
        start = max(0, size - TAIL)
        end = os.pread(self._file, TAIL, start)
        if start < _MARK <= size:
            # A job has made the file one that is not appended to: a hole is before its words.
            end = (os.pread(self._file, TAIL, 0).rstrip(b"\0") + end.lstrip(b"\0"))[-TAIL:]
            start = 0
        text = end.decode("utf-8", "backslashreplace")
        self._truncate()
        lines = text.splitlines()
        if start:
            log.info("(the first %d bytes of the output are cut)", start)
        if len(lines) > LINES_MOST:
            log.info("(the first %d lines of the rest are cut)", len(lines) - LINES_MOST)
        for line in lines[-LINES_MOST:]:
            log.info("%s", line)
        return text

    def _truncate(self) -> None:
        os.ftruncate(self._file, 0)


def last_words(path: Path) -> str | None:
    """The end of what a worker that is dead had printed and not yet logged."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            return file.read(TAIL).decode("utf-8", "backslashreplace") or None
    except OSError:
        return None


def path_of(state_dir: str, slot: int) -> Path:
    """Where the worker of a record prints."""
    return Path(state_dir, "output", f"{slot}.out")


def _text_to(descriptor: int) -> TextIO:
    raw = io.FileIO(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)
