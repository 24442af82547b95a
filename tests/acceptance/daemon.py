"""`qsuper run` as a process of its own, seen from outside."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from qsuper import wire
from qsuper.errors import ScoreboardError
from qsuper.scoreboard import PHASES, Record, Scoreboard
from tests.acceptance import journal
from tests.acceptance.app import JOURNAL_VARIABLE
from tests.acceptance.journal import Event, Run
from tests.servers.program import find_program
from tests.wait import Result, wait_for

TOP = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds for what takes a moment on an idle machine; a bound for a broken run only."""


class Daemon:
    """One state directory, and the master that a test runs in it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.state = folder / "var"
        self.journal = folder / "journal"
        self.config = folder / "qsuper.toml"
        self.output = folder / "daemon.out"
        self.environ: dict[str, str] = {
            **{name: value for name, value in os.environ.items() if not name.startswith("QSUPER_")},
            "PYTHONPATH": str(TOP),
            "PYTHONDONTWRITEBYTECODE": "1",
            JOURNAL_VARIABLE: str(self.journal),
        }
        self.master: subprocess.Popen[bytes] | None = None
        self._seen: dict[int, int] = {}
        self.write_config()

    def write_config(self, **tables: Any) -> None:
        """Write `qsuper.toml`; what is given goes over what every test wants."""
        values: dict[str, Any] = {
            "app": "tests.acceptance.app:queue",
            "state_dir": "var",
            "store": {"url": self.url},
            "queues": {"default": {"workers": 4}},
            **tables,
        }
        self.config.write_text("\n".join(_toml(values)) + "\n")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "qsuper", "--config", str(self.config), *words]

    def start(self, *flags: str, ready: bool = True, **environ: str) -> None:
        """Start a master; with `ready`, wait until all its workers run."""
        with self.output.open("ab") as output:
            self.master = subprocess.Popen(
                # A test run that is killed leaves nothing behind.
                [
                    find_program("setpriv"),
                    "--pdeathsig",
                    "KILL",
                    "--",
                    *self.command("run", *flags),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env={**self.environ, **environ},
            )
        if ready:
            self.wait_until(self.is_ready, "all workers run")

    @property
    def pid(self) -> int:
        assert self.master is not None, "the daemon was not started"
        return self.master.pid

    def is_ready(self) -> bool:
        """Whether the master that was started last has all the workers it wants, past booting."""
        assert self.master is not None
        assert self.master.poll() is None, f"the master has ended\n{self.words()}"
        board = self.board()
        if board is None or board.header.master_pid != self.pid:
            return False
        working = [one for one in self.workers() if PHASES[one.phase] != "booting"]
        wanted = sum(queue.wanted for queue in board.queues())
        return len(working) >= wanted > 0

    def board(self) -> Scoreboard | None:
        """The scoreboard, or None while there is none."""
        try:
            return Scoreboard.open(self.state / "scoreboard")
        except ScoreboardError:
            return None

    def records(self) -> list[Record]:
        """The records of all children, dead and unsettled ones included."""
        board = self.board()
        records = [] if board is None else list(board.records())
        self._seen |= {record.pid: record.ticks for record in records if record.pid}
        return records

    def workers(self, queue: str | None = None) -> list[Record]:
        """The records of the living workers."""
        board = self.board()
        return [
            record
            for record in self.records()
            if record.role == "worker"
            and record.pid
            and not record.ended
            and (queue is None or (board and board.queue(record.queue).name == queue))
        ]

    def child(self, role: str) -> Record | None:
        """The record of the living child of this role, of which there is one."""
        return next(
            (one for one in self.records() if one.role == role and one.pid and not one.ended), None
        )

    def kill(self, record: Record) -> None:
        """SIGKILL to a child, unless it has just ended by itself."""
        if alive(record.pid, record.ticks):
            with suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGKILL)

    def in_jobs(self) -> list[Record]:
        """The records of the workers that are in the midst of a job's code."""
        return [worker for worker in self.workers() if worker.in_flight is not None]

    def idle(self) -> int:
        """How many workers have nothing to do."""
        return sum(PHASES[worker.phase] == "idle" for worker in self.workers())

    def looked(self) -> float:
        """The scheduler's last look at the ready rows, in seconds of the scoreboard's clock."""
        board = self.board()
        return board.header.looked if board else 0.0

    def worker_of(self, number: int) -> Record | None:
        """The record of the living worker whose job in flight is `number`."""
        return next((one for one in self.workers() if one.in_flight == number), None)

    def running(self, number: int) -> Record:
        """Wait until the code of job `number` runs; the record of the worker that runs it."""

        def runs() -> bool:
            return bool(self.runs(number)) and self.worker_of(number) is not None

        self.wait_until(runs, f"job {number} runs")
        worker = self.worker_of(number)
        assert worker is not None, f"job {number} has ended already"
        return worker

    def events(self) -> list[Event]:
        return journal.read(self.journal)

    def written(self) -> int:
        """How many lines the journal has: a begin and an end for each whole run."""
        return journal.length(self.journal)

    def tell(self, number: int) -> None:
        """Have the job `number` end that holds until it is told."""
        Path(f"{self.journal}.{number}.told").touch()

    def inside(self) -> set[int]:
        """The processes whose last word in the journal is that a job begins."""
        return journal.inside(self.journal)

    def runs(self, number: int | None = None) -> list[Run]:
        """The runs so far, of one job or of all."""
        return [
            run for run in journal.runs_of(self.events()) if number is None or run.number == number
        ]

    def cli(self, *words: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a verb of the command line to its end."""
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def status(self) -> dict[str, Any]:
        """What `qsuper status --json` prints."""
        shown: dict[str, Any] = json.loads(self.cli("status", "--json").stdout)
        return shown

    def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        """The master's reply on its control socket: what the verbs do, without a new process."""
        return wire.call(self.state / "control.sock", verb, args, timeout=PATIENCE)

    def scale(self, workers: int, queue: str | None = None) -> None:
        more = {} if queue is None else {"queue": queue}
        self.ask("scale", workers=workers, **more)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def stop(self, timeout: float = PATIENCE) -> int:
        """TERM, and the exit code."""
        assert self.master is not None
        self.signal(signal.SIGTERM)
        return self.master.wait(timeout)

    def kill_master(self) -> None:
        """SIGKILL, and it is reaped."""
        assert self.master is not None
        self.records()
        self.master.kill()
        self.master.wait()

    def wait_until(
        self, condition: Callable[[], Result], message: str, timeout: float = PATIENCE
    ) -> Result:
        """Wait; when it is over, the daemon's own words are in the error."""
        try:
            return wait_for(condition, timeout, message)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.words()}") from None

    def words(self, lines: int = 40) -> str:
        """The end of what the daemon has printed and logged."""
        paths = [self.output, *sorted((self.folder / "var" / "log").glob("*.log"))]
        texts = [path.read_text(errors="replace") for path in paths if path.exists()]
        return "\n".join("\n".join(text.splitlines()[-lines:]) for text in texts)

    def log(self) -> str:
        """The whole log."""
        paths = sorted((self.folder / "var" / "log").glob("*.log"))
        return "".join(path.read_text(errors="replace") for path in paths)

    def clean_up(self) -> None:
        """End what is left of every master that ran here."""
        with suppress(ScoreboardError):
            self.records()
        if self.master is not None and self.master.poll() is None:
            self.master.kill()
            self.master.wait()
        for pid, ticks in self._seen.items():
            if alive(pid, ticks):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def alive(pid: int, ticks: int) -> bool:
    """Whether the process of this pid and start time runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    fields = stat[stat.rindex(")") + 2 :].split()
    return fields[0] not in "ZX" and (not ticks or int(fields[19]) == ticks)


def _toml(values: Mapping[str, Any], path: Sequence[str] = ()) -> list[str]:
    """A table in TOML: its plain values first, then its tables."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    lines = [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in plain.items()]
    for key, value in values.items():
        if isinstance(value, Mapping):
            inner = [*path, json.dumps(key)]
            lines += [f"[{'.'.join(inner)}]", *_toml(value, inner)]
    return lines
