"""The daemon of the demo: `qsuper run` in a folder of its own, as anybody would start it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from qsuper import wire
from qsuper.config import load
from qsuper.demo.mailing import MESSAGES, RECIPIENTS
from qsuper.demo.patience import Patience
from qsuper.errors import NotRunning, QsuperError
from qsuper.picture import Picture, take
from qsuper.scoreboard import Record, Scoreboard, clock
from qsuper.states import ChildState

CONFIG = """\
app = "mailing:queue"

[queues.default]
workers = {workers}
"""
START_MOST = 30.0
STOP_MOST = 30.0
PROGRAMS = ("mailing.py", "send.py")


@dataclass(frozen=True, slots=True)
class Victim:
    """A worker that was killed, and the job it had begun and not ended."""

    name: str
    pid: int
    job: int


class Daemon:
    """Starts at once; `close` ends whatever is left of it."""

    def __init__(
        self, folder: Path, data: Path, programs: Path, *, smtp: str, workers: int
    ) -> None:
        self.folder = folder
        for source, names in ((data, (RECIPIENTS, MESSAGES)), (programs, PROGRAMS)):
            for name in names:
                shutil.copy(source / name, folder / name)
        path = folder / "qsuper.toml"
        path.write_text(CONFIG.format(workers=workers), encoding="utf-8")
        self.config = load(path, environ={})
        self._state_dir = Path(self.config.state_dir)
        self._environ = _environment(smtp)
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

    def wait_until_ready(self, workers: int, patience: Patience) -> None:
        """Until so many workers run; raises `QsuperError` when they never will."""
        ends = time.monotonic() + START_MOST
        while True:
            if self._process.poll() is not None:
                raise QsuperError(f"`qsuper run` ended at once: {self._last_words()}")
            picture = self.look()
            if picture and _running(picture) >= workers:
                return
            if time.monotonic() > ends:
                why = "; ".join(picture.degraded) if picture else self._last_words()
                raise QsuperError(f"`qsuper run` has no {workers} workers yet: {why}")
            patience.rest(0.05)

    def look(self) -> Picture | None:
        """What `qsuper status` would show, or None while there is nothing to show."""
        with suppress(NotRunning):
            return take(self._state_dir, now=clock(), unix=time.time(), memory=lambda _pid: None)
        return None

    def enqueue(self) -> str:
        """Run the program that enqueues the mailing; its own words."""
        done = subprocess.run(
            [sys.executable, "send.py"],
            cwd=self.folder,
            env=self._environ,
            capture_output=True,
            encoding="utf-8",
            timeout=START_MOST,
            start_new_session=True,
            check=False,
        )
        if done.returncode:
            raise QsuperError(f"send.py failed: {done.stderr.strip().rpartition(chr(10))[2]}")
        return done.stdout.strip()

    def scale(self, workers: int) -> None:
        wire.call(self._state_dir / "control.sock", "scale", {"workers": workers})

    def kill_a_worker(self) -> Victim | None:
        """SIGKILL one in the middle of a job; None when just now there was none."""
        board = Scoreboard.open(self._state_dir / "scoreboard")
        for record in board.records():
            if record.queue >= 0 and record.pid and not record.ended and record.in_flight:
                with suppress(ProcessLookupError, psutil.NoSuchProcess):
                    if victim := _kill_in_mid_job(record, board.queue(record.queue).name):
                        return victim
        return None

    def stop(self) -> None:
        """Drain, and return when all processes have ended."""
        wire.call(self._state_dir / "control.sock", "stop")
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


def _environment(smtp: str) -> Mapping[str, str]:
    """Ours, without the settings of some other qsuper."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("QSUPER_")}
    return kept | {"MAILING_SMTP": smtp, "PYTHONUNBUFFERED": "1"}


def _running(picture: Picture) -> int:
    return sum(
        child.queue is not None and child.state == ChildState.RUNNING for child in picture.children
    )


def _kill_in_mid_job(record: Record, queue: str) -> Victim | None:
    """Freeze it first: only of a process that stands still is it certain what it does."""
    process = psutil.Process(record.pid)
    process.suspend()
    ends = time.monotonic() + 1.0
    while process.status() != psutil.STATUS_STOPPED and time.monotonic() < ends:
        time.sleep(0.0005)
    job = record.in_flight
    if job is None:
        process.resume()
        return None
    process.kill()
    return Victim(f"{queue}[{record.number}]", process.pid, job)
