"""Where jobs run in a test: a node without a master, one worker for each queue, one job at a time.

They are the workers of `qsuper run`: they claim, run and ack by the same code on real rows.
"""

import dataclasses
import os
import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from msgspec.structs import replace

from qsuper.client import Queue
from qsuper.config import WorkerConfig
from qsuper.errors import QsuperError
from qsuper.place import Place
from qsuper.scoreboard import Scoreboard, clock
from qsuper.states import FINISHED, State
from qsuper.store import listing, looking
from qsuper.store.backend import Statement
from qsuper.store.counting import queue_names
from qsuper.tasks.configured import apply
from qsuper.tasks.registry import Registry, Task
from qsuper.testing.alarm import alarm_lent
from qsuper.testing.connections import ClosingDatabase
from qsuper.testing.ran import Ran, ran
from qsuper.testing.tables import check_it_is_a_tests
from qsuper.testing.worker import OwnWorker

FOR_EVER = 366 * 86_400.0

_HEAD = Statement(
    """
    SELECT id, queue, task FROM queue
    WHERE status = 0 AND queue NOT IN (SELECT name FROM queues WHERE paused = 1)
    ORDER BY priority, id LIMIT 1
    """
)
_STATE = Statement("SELECT status FROM queue WHERE id = :id")


class Stand:
    """A `with` block in which jobs of one Queue can be run."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._declared: list[Task] = []
        self._workers: dict[str, OwnWorker] = {}

    def __enter__(self) -> "Stand":
        if threading.current_thread() is not threading.main_thread():
            raise QsuperError("jobs are run in the main thread of a test, as in that of a worker")
        check_it_is_a_tests(self._queue)
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="qsuper-"))
            self._config = replace(
                self._queue.config, state_dir=folder, worker=WorkerConfig(batch=1)
            )
            self._board = Scoreboard.create(Path(folder, "scoreboard"))
            header = self._board.header
            header.node, header.nonce = secrets.token_hex(6), secrets.token_hex(4)
            header.lease, header.renewed = FOR_EVER, clock()
            self._database = ClosingDatabase(self._config.store)
            stack.callback(self._database.close)
            stack.callback(self._close_workers)
            self._connection = self._database.connect()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def run(self, most: int, *, raises: bool) -> list[Ran]:
        """Run what is ready, the most urgent first, until nothing is. What becomes due meanwhile
        does not run: how many jobs that are would depend on how long they take.

        Raises what a job's code has raised, if that is wanted, and `QsuperError` when more than
        `most` jobs are ready one after the other.
        """
        self._learn()
        for name in queue_names(self._connection):
            while looking.promote(self._connection, name):
                pass
        done: list[Ran] = []
        with alarm_lent():
            for one in self._ends():
                done.append(one)
                if one.cause and (
                    (raises and one.went_wrong) or isinstance(one.cause, KeyboardInterrupt)
                ):
                    raise one.cause
                if len(done) > most:
                    raise QsuperError(
                        f"{most} jobs have run and job {one.id}, {one.task}, was one more: does it"
                        " add itself without end? Say most=... to have more run"
                    )
        return done

    def _learn(self) -> None:
        """The tasks as they are declared by now, as the configuration wants them, but for rates:
        no test shall wait for one."""
        known = self._queue.registry
        if self._workers and self._declared == [*known]:
            return
        self._declared = [*known]
        self._registry = Registry()
        self._registry.hooks = known.hooks
        for task in known:
            self._registry.add(task)
        apply(self._registry, self._config)
        for task in list(self._registry):
            self._registry.replace(dataclasses.replace(task, rate=None))
        self._close_workers()

    def _ends(self) -> Iterator[Ran]:
        """Run one job after the other, while any is ready."""
        stuck = 0
        while (head := self._head()) is not None:
            job_id, queue, task = head
            found = self._worker(queue).run_next(clock())
            if found is None or found[0].id != job_id:
                state = self._state(job_id)
                if state in FINISHED:
                    yield self._unrun(job_id, task, state)
                elif found is None and state is State.READY:
                    if job_id == stuck:
                        raise QsuperError(f"job {job_id}, {task}, is ready and cannot be claimed")
                    stuck = job_id
            if found is not None:
                yield ran(*found, self._state(found[0].id))

    def _head(self) -> tuple[int, str, str] | None:
        """Id, queue and task of the most urgent job that is ready."""
        row = self._connection.row(_HEAD)
        return None if row is None else (row[0], row[1], row[2])

    def _worker(self, name: str) -> OwnWorker:
        if name not in self._workers:
            index = self._board.header.queues
            queue = self._board.queue(index)
            queue.name, queue.wanted, queue.total = name, 1, 1
            self._board.header.queues = index + 1
            record = self._board.take()
            record.pid, record.role, record.queue = os.getpid(), "worker", index
            record.worker = f"{self._board.header.nonce}-{record.slot}"
            record.spawned = clock()
            place = Place(self._config, self._board, record, queue, f"{name}[0]")
            self._workers[name] = OwnWorker(place, self._database, self._registry)
        return self._workers[name]

    def _close_workers(self) -> None:
        while self._workers:
            self._workers.popitem()[1].close()

    def _unrun(self, job_id: int, task: str, state: State) -> Ran:
        """A row that was worth no attempt: too old, or without a date."""
        attempts = listing.job(self._database, job_id)["attempts"]
        return Ran(job_id, task, state, attempts[-1]["error"] if attempts else None)

    def _state(self, job_id: int) -> State:
        return State(self._connection.row(_STATE, id=job_id)[0])
