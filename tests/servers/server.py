"""A server process that belongs to the test run."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path

from tests.servers.program import find_program
from tests.wait import wait_for

# A unix socket's path ends at 107 bytes; 30 are left for the file's own name.
LONGEST_FOLDER = 77

# Below the range from which outgoing connections take their ports: a server that is down for a
# moment finds its port free again.
PORTS = range(20_000, 32_000)

START_TIMEOUT = 60.0
STOP_TIMEOUT = 60.0


class ServerDied(Exception):
    """The server ended while it was starting."""


class Server(ABC):
    """One private server, its folder, and what can happen to it.

    The kernel kills it when the thread that started it ends, however that happens: start a server
    from the main thread.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = make_folder(name)
        self.port = free_port()
        self.socket = self.folder / f"{name}.sock"
        self.log = self.folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the program and its arguments."""

    @abstractmethod
    def answers(self) -> bool:
        """Say whether a client gets an answer now."""

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and return when it answers; raises ServerDied with the end of its log."""
        assert not self.running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [find_program("setpriv"), "--pdeathsig", "KILL", "--", *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # a terminal's Ctrl-C is for pytest, which stops us
            )
        wait_for(self._up, START_TIMEOUT, f"{self.name} answers (log: {self.log})")

    def stop(self) -> None:
        """Ask it to end, as an administrator would, and wait; a stopped server stays stopped."""
        if self.running:
            self._signal(signal.SIGTERM)
            self.thaw()
            self._wait()

    def kill(self) -> None:
        """End it without a warning, as the kernel or a power cut would."""
        if self.running:
            self._signal(signal.SIGKILL)
            self._wait()

    def restart(self) -> None:
        """Stop it and start it again on the same port, socket and data."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Make it hang: connections stay open and nothing is answered, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """Kill it and delete its folder: nobody will need its data again."""
        self.kill()
        shutil.rmtree(self.folder)

    def _up(self) -> bool:
        if not self.running:
            end = self.log.read_text(errors="replace")[-2000:]
            raise ServerDied(f"{self.name} ended while starting; the end of its log:\n{end}")
        return self.answers()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, f"{self.name} was not started"
        self._process.send_signal(number)

    def _wait(self) -> None:
        assert self._process is not None, f"{self.name} was not started"
        self._process.wait(STOP_TIMEOUT)


def make_folder(name: str) -> Path:
    """Make a new folder for `name`, with a path short enough for a unix socket in it."""
    folder = Path(tempfile.mkdtemp(prefix=f"qsuper-{name}-"))
    if len(os.fsencode(folder)) <= LONGEST_FOLDER:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix=f"qsuper-{name}-", dir="/tmp"))


def free_port() -> int:
    """Return a loopback TCP port on which nobody listens."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free loopback port")
