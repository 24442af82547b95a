"""The job that runs in this process, for its own code to look at and to speak of."""

import json
import threading
import time
from typing import Any, Protocol

from qsuper import processes
from qsuper.errors import ParamError, QsuperError
from qsuper.job import Job, is_number

STATE_BYTES_MOST = 1024 * 1024


class Desk(Protocol):
    """Where a job's word of itself goes; written only while the claim is its own."""

    def progress(self, job: Job, fraction: float, text: str) -> None: ...
    def load_state(self, job: Job) -> str | None: ...
    def save_state(self, job: Job, text: str) -> None: ...


class CurrentJob:
    """What `current_job()` gives."""

    __slots__ = ("_began", "_desk", "_job", "_thread", "connection", "deadline", "queue", "store")

    def __init__(self, job: Job, queue: str, desk: Desk, deadline: float | None = None) -> None:
        self._job = job
        self._desk = desk
        self._thread = threading.get_ident()
        self._began = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.queue = queue
        """The queue that it is of."""
        self.deadline = deadline
        """Unix time at which its time-out is over; None when it has none."""
        self.connection: Any = None
        """The open transaction of a `transactional` task: a DB-API connection."""
        self.store: object = None
        """The database whose transaction that is: its `Database.place`."""

    def __repr__(self) -> str:
        return f"<job {self.id} {self.task} attempt {self.attempt}>"

    @property
    def id(self) -> int:
        return self._job.id

    @property
    def task(self) -> str:
        return self._job.task

    @property
    def attempt(self) -> int:
        """Counted from 1."""
        return self._job.attempt

    @property
    def param(self) -> Any:
        """As the column holds it."""
        return self._job.param

    @property
    def remaining(self) -> float | None:
        """Seconds until its time-out is over; None when it has none."""
        return None if self.deadline is None else max(0.0, self.deadline - time.time())

    def progress(self, fraction: float, text: str = "") -> None:
        """Say how far it is, from 0 to 1: for `status` at once, for `show` within a second."""
        if not is_number(fraction):
            raise ParamError(f"progress is a number from 0 to 1, not {fraction!r:.40}")
        self._desk.progress(self._job, min(max(float(fraction), 0.0), 1.0), str(text))

    @property
    def state(self) -> Any:
        """What an earlier attempt, or this one, has saved; None when nothing was."""
        text = self._desk.load_state(self._job)
        return None if text is None else json.loads(text)

    @state.setter
    def state(self, value: Any) -> None:
        """Save, in the database and at once, what the next attempt is to go on from: any JSON."""
        if self.connection is not None:
            raise QsuperError("a transactional task has no state: what it writes is its state")
        self._desk.save_state(self._job, as_json(value, "the state"))

    def is_here(self) -> bool:
        """Whether this thread is one of its own."""
        if threading.get_ident() == self._thread:
            return True
        thread = processes.look(threading.get_native_id())
        # A start is told in whole ticks.
        began = int(self._began * processes.TICKS_A_SECOND)
        return thread is not None and thread.ticks >= began

    def transaction(self, store: object) -> Any:
        """The connection of the open transaction, for this thread and this database; or None."""
        if self.store != store or threading.get_ident() != self._thread:
            return None
        return self.connection


def as_json(value: Any, what: str) -> str:
    """JSON that either database can hold; raises `ParamError`."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise ParamError(f"{what} cannot be written as JSON: {error}") from None
    if len(text) > STATE_BYTES_MOST:
        raise ParamError(
            f"{what} is larger than {STATE_BYTES_MOST} bytes: store it elsewhere, and where it is"
        )
    return text


_running: list[CurrentJob] = []


def current_job() -> CurrentJob:
    """The job whose code runs in this process, and in this thread; raises `QsuperError` when none
    does: a thread that an earlier job has left behind is not this one's."""
    job = running()
    if job is None:
        raise QsuperError("no job runs here: current_job() is for a task's own code")
    return job


def running() -> CurrentJob | None:
    """The same, or None."""
    return _running[-1] if _running and _running[-1].is_here() else None


class being:  # noqa: N801 - read as a word: `with being(job):`
    """While the block runs, `job` is the current one.

    A class, for every job pays for it: a generator's takes four times as long.
    """

    __slots__ = ("_job",)

    def __init__(self, job: CurrentJob) -> None:
        self._job = job

    def __enter__(self) -> None:
        _running.append(self._job)

    def __exit__(self, *_: object) -> None:
        _running.pop()
