"""Starts a master over fake kinds as a process of its own, and looks at it from outside."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from qsuper import processes, wire
from qsuper.errors import ScoreboardError
from qsuper.processes import Process
from qsuper.scoreboard import Record, Scoreboard
from tests.wait import wait_for

TOP = Path(__file__).parents[2]


class Node:
    """One folder, and the masters that a test starts in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self._started: list[subprocess.Popen[str]] = []
        self._seen: dict[tuple[int, int], Process] = {}
        self.configure()

    def configure(self, **settings: Any) -> None:
        (self.folder / "config.json").write_text(json.dumps(settings))

    def start(self, *flags: str, ready: bool = True) -> subprocess.Popen[str]:
        """Start a master; with `ready`, wait until all its children run."""
        program = [sys.executable, "-m", "tests.process.fake_node", str(self.folder), *flags]
        master = subprocess.Popen(
            program,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(TOP)},
        )
        self._started.append(master)
        if ready:
            wait_for(lambda: self.works(master.pid), message="the master's children run")
        return master

    def works(self, pid: int) -> bool:
        """Whether this is the master now and every child of its runs."""
        if self.board_master() != pid:
            return False
        return self.posted_by(pid) and all(one["state"] == "RUNNING" for one in self.children())

    def posted_by(self, pid: int) -> bool:
        """Whether the bulletin is this master's: the file is its predecessor's at first."""
        children = self.children()
        living = {process.pid for process in processes.descendants(pid)}
        return bool(children) and all(one["pid"] in living for one in children if one["pid"])

    def board(self) -> Scoreboard:
        return Scoreboard.open(self.state / "scoreboard", write=True)

    def board_master(self) -> int:
        try:
            return self.board().header.master_pid
        except ScoreboardError:
            return 0

    def bulletin(self) -> dict[str, Any]:
        """What the master says; nothing before there is one."""
        try:
            return dict(self.board().bulletin("master").read() or {})
        except ScoreboardError:
            return {}

    def children(self) -> list[dict[str, Any]]:
        children: list[dict[str, Any]] = self.bulletin().get("children", [])
        for child in children:
            self._remember(child["pid"])
        return children

    def workers(self, queue: str = "default") -> list[dict[str, Any]]:
        return [child for child in self.children() if child["queue"] == queue]

    def child(self, name: str) -> dict[str, Any]:
        return next(child for child in self.children() if child["name"] == name)

    def state_of(self, name: str) -> str:
        return next((one["state"] for one in self.children() if one["name"] == name), "")

    def running(self, queue: str = "default") -> int:
        return sum(child["state"] == "RUNNING" for child in self.workers(queue))

    def record(self, name: str) -> Record:
        return self.board().record(self.child(name)["slot"])

    def pids(self) -> set[int]:
        return {child["pid"] for child in self.children() if child["pid"]}

    def texts(self) -> str:
        """What the bulletin says is wrong."""
        return " ".join(message["text"] for message in self.bulletin().get("messages", []))

    def switch(self, name: str, text: str = "") -> None:
        # At once: who reads it meanwhile must not find it empty.
        fresh = self.folder / f".{name}"
        fresh.write_text(text)
        fresh.rename(self.folder / name)

    def unswitch(self, name: str) -> None:
        (self.folder / name).unlink()

    def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        return wire.call(self.state / "control.sock", verb, args, timeout=30)

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.folder / "log").glob("*.log")))

    def settled(self) -> str:
        """What the fake settler has noted: worker, reason and wait status of each."""
        path = self.folder / "settled"
        return path.read_text() if path.exists() else ""

    def daemon(self) -> Process | None:
        """The daemon that a fake worker has started, while it lives."""
        for path in self.folder.glob("daemon-of.*"):
            if (text := path.read_text().strip()) and (process := alive(int(text))):
                self._seen[process.pid, process.ticks] = process
                return process
        return None

    def wait_for_daemon(self) -> Process:
        wait_for(self.daemon, message="a worker has started its daemon")
        daemon = self.daemon()
        assert daemon is not None
        return daemon

    def _remember(self, pid: int) -> None:
        if pid and (process := processes.look(pid)):
            self._seen[pid, process.ticks] = process

    def clean_up(self) -> None:
        """End what the test has started, whatever has become of it."""
        self.children()
        self.daemon()
        for master in self._started:
            for process in processes.descendants(master.pid):
                self._seen[process.pid, process.ticks] = process
            master.kill()
            master.wait()
            if master.stderr is not None:
                master.stderr.close()
        for process in self._seen.values():
            now = processes.look(process.pid)
            if now is not None and now.ticks == process.ticks:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)


def alive(pid: int) -> Process | None:
    """The process, unless it is gone or waits to be reaped."""
    process = processes.look(pid)
    return None if process is None or process.zombie else process


def ended(master: subprocess.Popen[str], timeout: float = 30.0) -> int:
    """The exit code of a master that is about to end."""
    return master.wait(timeout)
