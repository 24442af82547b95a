"""A real supervisord over `conf/supervisord.conf` as it stands."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from tests.acceptance import process_table
from tests.acceptance.daemon import PATIENCE, TOP, Daemon
from tests.wait import wait_for


class Supervisord:
    """Keeps a master of `daemon`'s state directory alive."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self._folder = daemon.folder
        self._file = self._folder / "supervisord.conf"
        shutil.copy(TOP / "conf" / "supervisord.conf", self._file)
        (self._folder / "var").mkdir(exist_ok=True)
        put_qsuper_into(daemon)
        self._started: set[psutil.Process] = set()

    def start(self) -> None:
        """It goes into the background by itself, and answers when this returns."""
        # The file of one that was killed would be taken for this one's.
        self._pidfile.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._file)],
            cwd=self._folder,
            env=self.daemon.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"supervisord has not started: {done.stdout}{done.stderr}"
        wait_for(self._pidfile.exists, PATIENCE, "supervisord has written its pid")
        self._started.add(psutil.Process(self.pid))

    @property
    def _pidfile(self) -> Path:
        return self._folder / "var" / "supervisord.pid"

    @property
    def pid(self) -> int:
        return int(self._pidfile.read_text())

    def ctl(self, *words: str) -> str:
        """What `supervisorctl` says."""
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self._file), *words],
            cwd=self._folder,
            env=self.daemon.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return f"{done.stdout}{done.stderr}".strip()

    def kill(self) -> None:
        """SIGKILL: it cannot take its master with it."""
        os.kill(self.pid, signal.SIGKILL)
        wait_for(lambda: not process_table.living(self._started), PATIENCE, "supervisord is gone")

    def masters(self) -> set[psutil.Process]:
        """The masters of this folder: the one that works and the one that stands by."""
        found = set()
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if self._is_master(process):
                    found.add(process)
        return found

    def _is_master(self, process: psutil.Process) -> bool:
        words = process.cmdline()
        if words[-2:] != ["run", "--wait"] or process.cwd() != str(self._folder):
            return False
        # Its children have its words.
        parent = process.parent()
        return parent is None or "run" not in _words(parent)

    def clean_up(self) -> None:
        """End it, and what is left of its masters."""
        process_table.end(self._started)
        process_table.end(self.masters())


def _words(process: psutil.Process) -> list[str]:
    """Its command line; nothing when it is gone."""
    with suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def put_qsuper_into(daemon: Daemon) -> None:
    """Make `qsuper` a command of the virtual environment beside the configuration."""
    script = daemon.folder / ".venv" / "bin" / "qsuper"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m qsuper "$@"\n')
    script.chmod(0o755)
