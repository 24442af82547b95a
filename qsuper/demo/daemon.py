"""The daemon of an act: `qsuper run` in a folder of its own, as anybody would start it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from qsuper import wire
from qsuper.config import load
from qsuper.demo.patience import Patience
from qsuper.errors import NotRunning, QsuperError
from qsuper.picture import Child, Picture, take
from qsuper.scoreboard import clock
from qsuper.states import ChildState

START_MOST = 30.0
STOP_MOST = 30.0


class Daemon:
    """Starts at once; `close` ends whatever is left of it."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        """`folder` holds the configuration and the application."""
        self.folder = folder
        path = folder / "qsuper.toml"
        self.config = load(path, environ={})
        self.state_dir = Path(self.config.state_dir)
        self._environ = {**_environment(), **(environ or {})}
        self._output = (folder / "run.out").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "qsuper", "--config", str(path), "run"],
            cwd=folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            # A terminal's INT shall reach the demo, which then stops the daemon.
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The master's."""
        return self._process.pid

    @property
    def workers(self) -> int:
        """As many as it is configured to have."""
        return sum(queue.workers for queue in self.config.queues.values())

    def wait_until_ready(self, patience: Patience) -> Picture:
        """Until all its children run; raises `QsuperError` when they never will."""
        ends = time.monotonic() + START_MOST
        while True:
            if self._process.poll() is not None:
                raise QsuperError(f"`qsuper run` ended at once: {self._last_words()}")
            picture = self.look()
            if picture and self._is_complete(picture):
                return picture
            if time.monotonic() > ends:
                why = "; ".join(picture.degraded) if picture else self._last_words()
                raise QsuperError(f"`qsuper run` is not ready after {START_MOST:g} s: {why}")
            patience.rest(0.05)

    def _is_complete(self, picture: Picture) -> bool:
        working = sum(child.queue is not None for child in picture.children)
        return working >= self.workers and all(
            child.state == ChildState.RUNNING for child in picture.children
        )

    def look(self) -> Picture | None:
        """What `qsuper status` would show, or None while there is nothing to show."""
        with suppress(NotRunning):
            return take(self.state_dir, now=clock(), unix=time.time(), memory=lambda _pid: None)
        return None

    def children(self, *roles: str) -> tuple[Child, ...]:
        """Those of these roles, as they are now."""
        picture = self.look()
        return tuple(
            child for child in (picture.children if picture else ()) if child.role in roles
        )

    def start_program(self, *words: str) -> subprocess.Popen[str]:
        """Start a Python program that lies in the folder."""
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run_program(self, *words: str) -> str:
        """Run one to its end; its own words. Raises `QsuperError` when it fails."""
        return words_of(self.start_program(*words), words[0])

    def scale(self, workers: int) -> None:
        wire.call(self.state_dir / "control.sock", "scale", {"workers": workers})

    def stop(self) -> None:
        """Drain, and return when all processes have ended."""
        wire.call(self.state_dir / "control.sock", "stop")
        try:
            code = self._process.wait(STOP_MOST)
        except subprocess.TimeoutExpired:
            raise QsuperError(f"`qsuper run` has not stopped within {STOP_MOST:g} s") from None
        if code:
            raise QsuperError(f"`qsuper run` ended with {code}: {self._last_words()}")

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(STOP_MOST)
            except subprocess.TimeoutExpired:
                # Its children notice the death of their master and go.
                self._process.kill()
                self._process.wait()
        self._output.close()

    def _last_words(self) -> str:
        text = (self.folder / "run.out").read_text(encoding="utf-8", errors="replace").strip()
        return text.rpartition("\n")[2] or f"exit code {self._process.returncode}"


def words_of(program: subprocess.Popen[str], name: str) -> str:
    """Wait for a program's end; what it has printed. Raises `QsuperError` when it failed."""
    try:
        output, errors = program.communicate(timeout=START_MOST)
    except subprocess.TimeoutExpired:
        program.kill()
        program.communicate()
        raise QsuperError(f"{name} has not ended within {START_MOST:g} s") from None
    if program.returncode:
        why = errors.strip().rpartition("\n")[2] or f"exit code {program.returncode}"
        raise QsuperError(f"{name} failed: {why}")
    return output.strip()


def _environment() -> dict[str, str]:
    """Ours, without the settings of some other qsuper."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("QSUPER_")}
    return kept | {"PYTHONUNBUFFERED": "1"}
