"""A program on a terminal of its own: what is to be seen there, and keys for it."""

import codecs
import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.screen import Screen
from tests.servers.program import find_program
from tests.wait import wait_for

_PATIENCE = 120.0


class Terminal:
    """`command` on a pseudo terminal of so many columns and lines."""

    def __init__(
        self,
        command: Sequence[str],
        cwd: Path,
        environ: Mapping[str, str],
        width: int = 80,
        height: int = 24,
    ) -> None:
        self._master, self._slave = os.openpty()
        self._resize(width, height)
        self._mode = termios.tcgetattr(self._slave)
        self.screen = Screen(width, height)
        self.sent = 0
        """Bytes that came from it."""
        self.raw = ""
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        slave = self._slave
        self._process = subprocess.Popen(
            # Ctrl-C is for whom the terminal belongs to; a test run in the background ignores it,
            # and so would all that it starts.
            [
                find_program("setsid"),
                "--ctty",
                find_program("env"),
                "--default-signal=INT",
                *command,
            ],
            cwd=cwd,
            env={"TERM": "xterm-256color", "LANG": "C.UTF-8", **environ},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)
        os.close(self._slave)

    def shows(self, text: str) -> None:
        """Wait until this is to be seen."""
        try:
            wait_for(lambda: self._drain() and text in self.screen.text, _PATIENCE)
        except AssertionError:
            raise AssertionError(f"{text!r} never came:\n{self.screen.text}") from None

    def printed(self, text: str, times: int = 1) -> None:
        """Wait until a program that draws nothing has printed this so often."""
        wait_for(lambda: self._drain() and self.raw.count(text) >= times, _PATIENCE, text)

    def bytes_within(self, seconds: float) -> int:
        """How many come in that time."""
        before, until = self.sent, time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            select.select([self._master], [], [], left)
            self._drain()
        return self.sent - before

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def resize(self, width: int, height: int) -> None:
        """The screen is another one from now on, as nobody knows what is on it."""
        self._drain()
        self._resize(width, height)
        self.screen.resize(width, height)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def exit_code(self) -> int:
        """Wait until it has ended; what it sent last is on the screen then."""
        wait_for(lambda: self._drain() and self._process.poll() is not None, _PATIENCE)
        self._drain()
        return self._process.returncode

    def is_as_before(self) -> bool:
        """The mode of its lines, its cursor and its first screen are those it began with."""
        mode: list[Any] = termios.tcgetattr(self._slave)
        return mode == self._mode and self.screen.cursor and not self.screen.other

    def _drain(self) -> bool:
        while select.select([self._master], [], [], 0)[0]:
            data = os.read(self._master, 65536)
            self.sent += len(data)
            text = self._decode(data)
            self.raw += text
            self.screen.feed(text)
        return True

    def _resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
