"""What jobs leave behind that nobody can take away: too much of it, and the process is replaced."""

import os
import sys
import threading

from qsuper.roles.thing import CannotPutBack, Thing

THREADS_AT_ONCE = 80
"""Threads that may be left between two looks. A pool that is kept has as many, once; a heap of
them is a leak."""
THREADS_MOST = 256
"""Threads that all jobs may leave behind: what leaks one by one has an end, too."""
FILES_MOST = 500
"""The same of open files."""


def leaks() -> list[Thing]:
    """As they are now."""
    threads, files = _Threads(), _lowest_free() + FILES_MOST
    return [
        Thing("open files", lambda: _lowest_free() > files, _refuse_files),
        Thing("threads", threads.too_many, threads.refuse),
    ]


class _Threads:
    def __init__(self) -> None:
        self._before = self._first = threading.active_count()

    def too_many(self) -> bool:
        """Whether there are since the last look, or since the beginning."""
        before, self._before = self._before, threading.active_count()
        return self._before > before + THREADS_AT_ONCE or self._before > self._first + THREADS_MOST

    def refuse(self, _wanted: object) -> None:
        raise CannotPutBack(f"{self._before} threads, which jobs have left running")


def _lowest_free() -> int:
    """The number that the next opened file will get: about how many are open."""
    try:
        descriptor = os.open("/", os.O_PATH | os.O_CLOEXEC)
    except OSError:  # none is left
        return sys.maxsize
    os.close(descriptor)
    return descriptor


def _refuse_files(_wanted: object) -> None:
    raise CannotPutBack(f"more than {FILES_MOST} open files, which jobs have left open")
