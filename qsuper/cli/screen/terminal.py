"""The terminal while a screen is on it."""

import os
import select
import signal
import sys
import termios
import tty
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

_ENTER = "\x1b[?1049h\x1b[?25l"
"""The other screen, so that what was there comes back, and no cursor."""
_LEAVE = "\x1b[?25h\x1b[?1049l"
_NOTED = (signal.SIGWINCH, signal.SIGCONT)
"""Another size; and who had the terminal meanwhile has drawn on it."""
_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Terminal:
    """Standard output as a screen, and standard input as a keyboard if it is one.

    Whatever ends the block, signals included, the terminal is as it was afterwards.
    """

    def __init__(self) -> None:
        self.redraw = False
        """It has another size, or this program was in the background: draw all of it."""
        self._wake_read, self._wake_write = -1, -1
        self._keyboard = sys.stdin.fileno() if _is_keyboard() else -1
        self._mode: list[Any] | None = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for number in _NOTED:
            self._handlers[number] = signal.signal(number, self._note)
        for number in _ENDING:
            self._handlers[number] = signal.signal(number, _end)
        self._handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._stop)
        self._enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for descriptor in (self._wake_read, self._wake_write):
            os.close(descriptor)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now."""
        try:
            columns, lines = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            columns, lines = 0, 0
        return columns or 80, lines or 24

    def write(self, text: str) -> None:
        """Send it now."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def key(self, seconds: float) -> str:
        """The key that was pressed within so many seconds, or nothing; a signal cuts it short."""
        watched = [self._wake_read, *([self._keyboard] if self._keyboard >= 0 else [])]
        ready, _, _ = select.select(watched, [], [], max(0.0, seconds))
        if self._wake_read in ready:
            os.read(self._wake_read, 64)
        if self._keyboard not in ready:
            return ""
        pressed = os.read(self._keyboard, 64)
        if not pressed:
            # Its other end is gone: nothing will ever be pressed.
            self._keyboard = -1
        return pressed.decode("ascii", "replace")

    def _enter(self) -> None:
        if self._keyboard >= 0:
            with suppress(termios.error):
                mode = termios.tcgetattr(self._keyboard)
                self._mode = self._mode or mode
                tty.setcbreak(self._keyboard, termios.TCSADRAIN)
        _send(_ENTER)

    def _leave(self) -> None:
        _send(_LEAVE)
        if self._mode is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, self._mode)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: the shell gets the terminal as it was, and this goes on here after `fg`."""
        self._leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._stop)
        self._enter()
        self._note(number, None)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.redraw = True
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"\0")


def _send(text: str) -> None:
    # Not sys.stdout: this may be a signal handler, amid a write of its own. And the line may be
    # gone, which is why we leave.
    with suppress(OSError):
        os.write(sys.stdout.fileno(), text.encode())


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _is_keyboard() -> bool:
    try:
        # In the background, asking for its mode would stop this process.
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False
