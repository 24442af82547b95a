"""Which of the claimed jobs may run: those for which their task's limit has a slot, and its rate a
start. The others are set aside before anything of them has begun."""

import time
from dataclasses import dataclass, field

from qsuper.config import Config
from qsuper.job import Job
from qsuper.roles.slots import Slots, TakenSlot
from qsuper.store import limiting, rating, releasing
from qsuper.store.database import Connection
from qsuper.tasks.limit import RATE, is_own, name_of, rate_name
from qsuper.tasks.registry import Registry, Task

FEW = 8
"""Jobs of one limit that a worker takes at once, at most."""
SHARE = 4
"""And at most one of so many slots that are free: a slot is of no use to a job that waits for its
turn in a batch, while another worker could run one."""
SWEEP_MOST = 256
"""Jobs claimed at once only to be set aside."""


@dataclass(slots=True)
class _Sorted:
    """The jobs of one claim."""

    kept: list[Job] = field(default_factory=list)
    held: dict[str, list[Job]] = field(default_factory=dict)
    """By the limit or the rate that has no room."""
    back: list[Job] = field(default_factory=list)
    """There is room for them, but not with this worker."""
    rooms: dict[str, int] = field(default_factory=dict)
    """Of each limit and rate met: how many more of its jobs to keep."""
    full: set[str] = field(default_factory=set)
    """Limits of which no slot is left."""


class Admission:
    """Stands between a worker's claims and its batch. Tasks without limit or rate pass by."""

    def __init__(self, registry: Registry, config: Config, slots: Slots, worker: str) -> None:
        self._registry = registry
        self._slots = slots
        self._worker = worker
        names = {task.name for task in registry} | set(config.tasks)
        known = [task for name in names if (task := registry.get(name)) is not None]
        self._limited = {task.name: task for task in known if task.limit or task.rate}
        self._most: int | None = None
        self._looked = False
        self.has_more = False
        """The last claim has only set jobs aside: others may be ready behind them."""

    def size(self, wanted: int) -> int:
        """How many jobs to claim next, where the batch would have so many."""
        return wanted if self._most is None else self._most

    def admit(self, connection: Connection, jobs: list[Job], most: int) -> list[Job]:
        """Those of the claimed jobs that may run, `most` of them, in their order."""
        if not self._looked:
            self._look_at_what_is_held(connection)
            self._looked = True
        self.has_more = False
        if not self._limited or not any(job.task in self._limited for job in jobs):
            self._most = None
            return jobs
        done = _Sorted()
        try:
            for job in jobs:
                if len(done.kept) < most:
                    self._sort(connection, job, done)
                else:
                    done.back.append(job)
            self._set_aside(connection, done)
        except BaseException:
            self._slots.let_all_go()
            raise
        self.has_more = not done.kept
        if done.back:
            self._most = max(1, len(done.kept))
        else:
            self._most = min(SWEEP_MOST, 2 * len(jobs)) if self.has_more else None
        return done.kept

    def limits(self, job: Job) -> bool:
        """Whether its task has a limit or a rate."""
        return job.task in self._limited

    def may_start(self, connection: Connection, job: Job) -> bool:
        """Wait for the job's start under its task's rate; when that is too far off, set it aside
        and return False."""
        task = self._limited.get(job.task)
        if task is None or task.rate is None:
            return True
        name, every = rate_name(task.name), 1 / task.rate
        wait = rating.reserve(connection, name, every)
        if wait is None:
            limiting.hold(connection, self._worker, [job], name)
            self._slots.let_go(job.id)
            self._slots.free(connection)
            return False
        if every < 2 * rating.AHEAD:
            # The scheduler's look comes too seldom: what starts a job has the next one follow.
            limiting.unhold(connection, name, 1)
        time.sleep(wait)
        return True

    def _sort(self, connection: Connection, job: Job, done: _Sorted) -> None:
        task = self._limited.get(job.task)
        if task is None:
            done.kept.append(job)
            return
        rate = rate_name(task.name) if task.rate else None
        if task.rate and rate is not None:
            if rate not in done.rooms:
                done.rooms[rate] = rating.starts_ahead(connection, rate, 1 / task.rate)
            if not done.rooms[rate]:
                done.held.setdefault(rate, []).append(job)
                return
        if task.limit is None or self._takes_slot(connection, task, job, done):
            done.kept.append(job)
            if rate is not None:
                done.rooms[rate] -= 1

    def _takes_slot(self, connection: Connection, task: Task, job: Job, done: _Sorted) -> bool:
        assert task.limit is not None
        limit = task.limit
        name = name_of(limit, task.name, task.arguments(job.param) if limit.by else {})
        left: int | None = None
        if done.rooms.get(name) != 0:
            left = limiting.take(connection, name, limit.most, job)
            if left is not None:
                self._slots.note(TakenSlot(name, job.id, job.claims, lasting=limit.by is None))
                done.rooms[name] = done.rooms.get(name, min(FEW, 1 + left // SHARE)) - 1
            if not left:
                done.rooms[name] = 0
                done.full.add(name)
            if left is not None:
                return True
        if name in done.full:
            done.held.setdefault(name, []).append(job)
        else:
            done.back.append(job)
        return False

    def _set_aside(self, connection: Connection, done: _Sorted) -> None:
        for name, jobs in done.held.items():
            limiting.hold(connection, self._worker, jobs, name)
            task = self._limited[jobs[0].task]
            if name in done.full and task.limit is not None:
                # A slot that was freed before these were held had nobody to go to.
                room = limiting.room(connection, name, task.limit.most)
                limiting.unhold(connection, name, min(room, len(jobs)))
        if done.back:
            releasing.release(connection, self._worker, done.back)

    def _look_at_what_is_held(self, connection: Connection) -> None:
        """Jobs may wait for a limit or a rate that their task has no more, or that was raised."""
        for name, slots in limiting.every_holder(connection):
            tasks = self._tasks_of(name)
            holding = [task for task in tasks if _holds(task, name)]
            if tasks and not holding:
                limiting.unhold_all(connection, name)
            most = max((task.limit.most for task in holding if task.limit is not None), default=0)
            if 0 < slots < most and not name.startswith(RATE):
                # The scheduler has as many jobs go on as it sees slots.
                limiting.make(connection, name, range(most))

    def _tasks_of(self, name: str) -> list[Task]:
        """Those that a limit or rate of this name could belong to."""
        places = [place for place, letter in enumerate(name) if letter == ":"]
        words = [name, *(name[:place] for place in places), name.removeprefix(RATE)]
        return [task for word in words if (task := self._registry.get(word)) is not None]


def _holds(task: Task, name: str) -> bool:
    if name == rate_name(task.name):
        return task.rate is not None
    return is_own(name, task.name, task.limit)
