"""The command line, called in this process, and a scoreboard as a master would leave it."""

import contextlib
import io
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from qsuper import processes
from qsuper.cli import main
from qsuper.scoreboard import Record, Scoreboard, clock


@dataclass(frozen=True)
class Answer:
    """What one call of `qsuper` came to."""

    code: int
    out: str
    err: str


def call(folder: Path, *arguments: str, stdin: bytes = b"", **environ: str) -> Answer:
    """`qsuper ARGUMENTS` in a folder, with no QSUPER_* but those given."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    kept = {name: text for name, text in os.environ.items() if not name.startswith("QSUPER_")}
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, kept | environ, clear=True),
        mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = main(list(arguments))
    texts = []
    for stream in (out, err):
        stream.flush()
        stream.seek(0)
        texts.append(stream.read())
    return Answer(code, *texts)


class Node:
    """A node whose master is this process, and which only exists on its scoreboard."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self.board = Scoreboard.create(state_dir / "scoreboard")
        self.children: list[dict[str, Any]] = []
        header = self.board.header
        header.master_pid = os.getpid()
        header.master_ticks = own_ticks()
        header.boot_id = processes.boot_id()
        header.started = time.time() - 100
        header.node = "0123456789ab"
        header.lease, header.renewed = 30.0, clock()

    def queue(self, name: str, *, wanted: int = 1, total: int = 1, paused: bool = False) -> None:
        record = self.board.queue(self.board.header.queues)
        record.name, record.wanted, record.total, record.paused = name, wanted, total, int(paused)
        self.board.header.queues += 1

    def child(self, name: str, queue: int | None = None, **entry: Any) -> Record:
        """One child with a record of its own; `entry` overrides what the master says of it."""
        record = self.board.take()
        record.pid = os.getpid()
        record.queue = -1 if queue is None else queue
        record.describe(phase="idle")
        queue_name = None if queue is None else self.board.queue(queue).name
        self.children.append(
            {
                "name": name,
                "role": "scheduler" if queue is None else "worker",
                "queue": queue_name,
                "number": 0,
                "state": "RUNNING",
                "since": time.time() - 90,
                "pid": os.getpid(),
                "restarts": 0,
                "last_exit": "",
                "slot": record.slot,
                "retry_in": None,
            }
            | entry
        )
        return record

    def post(self, *, messages: Iterable[str] = (), ago: float = 0.0) -> None:
        """The master's bulletin, `ago` seconds old."""
        said = [{"since": time.time(), "text": text} for text in messages]
        bulletin = {"version": "1.2.3", "children": self.children, "messages": said}
        self.board.bulletin("master").post(bulletin | {"posted": time.time() - ago})

    def count(self, *queues: dict[str, Any], ago: float = 0.0) -> None:
        """The keeper's bulletin."""
        self.board.bulletin("keeper").post({"queues": queues, "posted": time.time() - ago})


def own_ticks() -> int:
    """When this process has started, in clock ticks since boot."""
    return int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
