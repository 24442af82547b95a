"""One program at work: started, listened to, waited for, and ended when it must be."""

import errno
import fcntl
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from qsuper.errors import QsuperError
from qsuper.tasks.ending import Cancelling, Ended, SoftTimeout
from qsuper.tasks.programs import descriptors
from qsuper.tasks.programs.starting import Command, fork

GRACE = 0.3
"""Seconds between TERM and KILL."""
KILLED_WITHIN = 1.0
"""Seconds that a killed process may take to be gone; a disk may hold it longer."""
LOOK_EVERY = 0.25
"""Seconds; its end and its words are noticed at once."""
CHUNK = 64 * 1024

_HANDLED = (signal.SIGALRM, signal.SIGTERM, signal.SIGQUIT, signal.SIGINT)


class Process:
    """What is still alive when the block is left is ended: gently by a time-out or because the job
    is cancelled, at once otherwise. Daemons of it are the worker's business."""

    def __init__(self) -> None:
        self._pid = 0
        self._ended = False
        self._opened: list[int] = []
        self._descriptor = -1
        self._report = -1
        self._error = -1

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        gently = kind is not None and issubclass(kind, SoftTimeout | Cancelling)
        try:
            self._leave(gently)
        except Ended as end:
            # It has struck on the way in; it does so once in a job.
            self._leave(isinstance(end, SoftTimeout | Cancelling))
            raise

    def start(self, command: Command, stdin: bytes) -> None:
        """Start it; raises `QsuperError` when the kernel refuses."""
        if threading.current_thread() is threading.main_thread():
            # A job before may have let the kernel, or a handler, reap whatever ends.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            with _undisturbed():
                self._fork(command, stdin)
            number = int.from_bytes(os.read(self._error, 2))
        except OSError as failure:
            number = failure.errno or errno.EIO
        if number == errno.ENOEXEC:
            raise QsuperError(
                f"{command.path} is no program; begin it with #!, or name what runs it"
            )
        if number:
            raise QsuperError(f"{command.path} could not be started: {os.strerror(number)}")

    def wait(self, hear: Callable[[bytes], None]) -> int | None:
        """Its exit code, or minus the signal that has killed it; None when nobody can know.

        `hear` is given what it says meanwhile. Whatever it has started may live on, and hold the
        pipe open: its own end counts.
        """
        poll = select.poll()
        poll.register(self._report, select.POLLIN)
        poll.register(self._descriptor, select.POLLIN)
        ended = False
        while not ended:
            # A signal that comes just before does not wake it: its handler runs between two looks.
            for descriptor, _ in poll.poll(LOOK_EVERY * 1000):
                if descriptor == self._descriptor:
                    ended = True
                elif data := os.read(self._report, CHUNK):
                    hear(data)
                else:
                    poll.unregister(self._report)
        self._drain(hear)
        return self._status()

    def _fork(self, command: Command, stdin: bytes) -> None:
        """The pipes, the process, and what tells its end."""
        given: list[int] = []
        try:
            given.append(descriptors.file_of(stdin))
            self._report, report = descriptors.pipe()
            self._opened.append(self._report)
            given.append(report)
            self._error, error = descriptors.pipe()
            self._opened.append(self._error)
            given.append(error)
            os.set_blocking(self._report, False)
            self._pid = fork(command, *given)
            self._descriptor = os.pidfd_open(self._pid)
            self._opened.append(self._descriptor)
        finally:
            for descriptor in given:
                os.close(descriptor)

    def _leave(self, gently: bool) -> None:
        with _undisturbed():
            if self._pid and not self._ended:
                self._end(GRACE if gently else 0.0)
            while self._opened:
                os.close(self._opened.pop())

    def _drain(self, hear: Callable[[bytes], None]) -> None:
        """What it has said last: no more than the pipe holds, a daemon of it may say more."""
        left = fcntl.fcntl(self._report, fcntl.F_GETPIPE_SZ)
        with suppress(BlockingIOError):
            while left > 0 and (data := os.read(self._report, CHUNK)):
                hear(data)
                left -= len(data)

    def _status(self) -> int | None:
        self._ended = True
        try:
            end = os.waitid(os.P_PIDFD, self._descriptor, os.WEXITED)
        except ChildProcessError:
            return None
        if end is None:
            return None
        return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status

    def _end(self, grace: float) -> None:
        if grace:
            self._signal(signal.SIGTERM)
            self._is_over(grace)
        self._signal(signal.SIGKILL)
        if self._is_over(KILLED_WITHIN):
            self._status()

    def _signal(self, number: int) -> None:
        """To its group, which it may not have yet."""
        for send in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                send(self._pid, number)

    def _is_over(self, patience: float) -> bool:
        """Wait for its end, so many seconds at most."""
        if self._descriptor < 0:
            return False
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(patience * 1000))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No handler raises anything within: a process would be left of which nobody knows the pid."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        # This may raise what has come before, with the signals blocked already.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
