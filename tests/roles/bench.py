"""A role in this process: its scoreboard, its record, its database, no master and no fork."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qsuper import config
from qsuper.place import Place
from qsuper.roles.output import Output
from qsuper.roles.runner import Runner
from qsuper.roles.worker import Worker
from qsuper.scoreboard import Record, Scoreboard, clock
from qsuper.states import State
from qsuper.store import nodes
from qsuper.tasks.registry import Registry, Task
from tests.store.table import Table

NODE = "0123456789ab"
BOOT = "thisboot"
LEASE = 30.0


class NoOutput(Output):
    """The test's own: it stays where pytest wants it."""

    def __init__(self) -> None:
        """No file."""

    def collect(self) -> str:
        """Nothing to collect."""
        return ""


@dataclass
class Bench:
    """A node with one queue whose lease is in force."""

    table: Table
    folder: Path
    registry: Registry = field(default_factory=Registry)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        file = self.folder / "qsuper.toml"
        file.write_text(f'[store]\nurl = "{self.table.url}"\n[queues]\ndefault = {{ workers = 1 }}')
        self.config = config.load(file, environ={})
        self.board = Scoreboard.create(self.folder / "scoreboard")
        header = self.board.header
        header.node, header.nonce, header.lease = NODE, BOOT, LEASE
        header.queues = 1
        self.queue = self.board.queue(0)
        self.queue.name, self.queue.wanted, self.queue.total = "default", 1, 1
        self.queue.wake_read, self.queue.wake_write = os.pipe2(os.O_NONBLOCK)
        self.enter(NODE, BOOT)
        header.renewed = clock()

    def enter(self, node: str, boot: str, workers: int = 1, lease: float = LEASE) -> None:
        """Write a node's row as its own renewal does."""
        nodes.renew(
            self.table.connection,
            node=node,
            host="here",
            boot=boot,
            lease=lease,
            workers={"default": workers} if workers else {},
        )

    def record(self) -> Record:
        """A living worker's record."""
        record = self.board.take()
        record.pid, record.role, record.queue = os.getpid(), "worker", 0
        record.worker = f"{BOOT}-{record.slot}"
        record.spawned = clock()
        record.describe(phase="idle")
        return record

    def place(self) -> Place:
        return Place(self.config, self.board, self.record(), self.queue, "default[0]")

    def task(self, handler: Callable[..., Any], **options: Any) -> None:
        """Register a task under its handler's name."""
        self.registry.add(Task(handler.__name__, handler, **options))

    def runner(self, record: Record) -> Runner:
        return Runner(
            self.registry, NoOutput(), record, self.config, "default", self.table.database
        )

    def worker(self) -> Worker:
        """A worker past its boot, with the tasks registered here; its companion sleeps."""
        worker = Worker(self.place())
        worker.equip(self.registry, self.runner(worker.record))
        return worker

    def add_running(self, worker: str, count: int = 1, **columns: Any) -> list[int]:
        """Rows that a worker has claimed for the first time."""
        claimed = {"status": int(State.RUNNING), "worker": worker, "attempt": 1, "claims": 1}
        return self.table.add(count, **claimed | columns)

    def age(self, job_id: int, seconds: float) -> None:
        """The row was last written so long ago."""
        sql = "UPDATE queue SET mtime = {ago:seconds} WHERE id = :id"
        self.table.write(sql, id=job_id, seconds=seconds)

    def close(self) -> None:
        os.close(self.queue.wake_read)
        os.close(self.queue.wake_write)
