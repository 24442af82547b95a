"""The master's signals: handlers only note them, and a pipe wakes the loop."""

import os
import select
import signal
from collections import deque
from types import FrameType

NOTED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGTSTP,
    signal.SIGCONT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCHLD,
)
ASKS_TO_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Signals:
    """Notes what arrives while it is installed; readable, as a file, when something did."""

    def __init__(self) -> None:
        self._noted: deque[signal.Signals] = deque()
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._handlers_before = {number: signal.signal(number, self._note) for number in NOTED}

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._noted.append(signal.Signals(number))

    def fileno(self) -> int:
        return self._read

    def take(self) -> list[signal.Signals]:
        """The signals noted since the last call, in their order."""
        try:
            while os.read(self._read, 4096):
                pass
        except BlockingIOError:
            pass
        return [self._noted.popleft() for _ in range(len(self._noted))]

    def pause(self, seconds: float) -> bool:
        """Wait so long; whether somebody asked this process to stop. The rest is dropped."""
        select.select([self], [], [], seconds)
        return any(number in ASKS_TO_STOP for number in self.take())

    def restore(self) -> None:
        """Give the process back the handlers it had before."""
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before, warn_on_full_buffer=False)
        self._close()

    def forget(self) -> None:
        """In a forked child: every handler to its default, nothing shared with the master."""
        signal.set_wakeup_fd(-1)
        for number in NOTED:
            signal.signal(number, signal.SIG_DFL)
        self._noted.clear()
        self._close()

    def _close(self) -> None:
        os.close(self._read)
        os.close(self._write)
