"""What becomes of schedules while time passes and the keeper is always there."""

from dataclasses import dataclass, replace
from operator import attrgetter

from qsuper.client import Queue
from qsuper.errors import QsuperError
from qsuper.states import LIVE
from qsuper.store import schedules
from qsuper.store.database import Connection
from qsuper.store.enqueueing import insert
from qsuper.store.schedules import Run
from qsuper.tasks.schedule import OVERLAP, Schedule
from qsuper.tasks.scheduled import job_for, schedules_of

DUE_MOST = 10_000
"""Due times of one jump."""


@dataclass(frozen=True, slots=True)
class DueTime:
    """A schedule is due."""

    schedule: Schedule
    at: int
    """Unix time, on the test's clock."""

    def enqueue(self, queue: Queue, own: Connection, ahead: float) -> None:
        """Make its job, unless the last one still lives and is to be the only one. `ahead`: the
        seconds by which the test's clock is ahead of the database's."""
        name = self.schedule.name
        if self.at in schedules.decided(own, name, self.at - 1, self.at):
            return
        entry = schedules.read(own).get(name)
        note = self.schedule.decide([self.at], self.at, paused=bool(entry and entry.paused))[0].note
        if note is None and self.schedule.overlap == "skip" and _last_lives(own, name):
            note = OVERLAP
        job_id = None
        if note is None:
            job = job_for(self.schedule, self.at, 0.0, queue.registry, queue.config)
            job_id = insert(own, replace(job, at=(job.at or self.at) - ahead))
        schedules.record(own, name, [Run(self.at, job_id, note)])


def due_times(queue: Queue, since: float, until: float) -> list[DueTime]:
    """Those of all schedules, later than `since` and not later than `until`, in their order."""
    found: list[DueTime] = []
    for schedule in schedules_of(queue.config, queue.registry):
        times = schedule.line.within(since, until, DUE_MOST + 1)
        found += [DueTime(schedule, at) for at in times]
        if len(found) > DUE_MOST:
            raise QsuperError(
                f"schedules are due more than {DUE_MOST} times in that time: move the clock in"
                " smaller steps, and drain in between"
            )
    return sorted(found, key=attrgetter("at"))


def _last_lives(own: Connection, name: str) -> bool:
    newest = schedules.last(own, name)
    return newest is not None and newest.status in LIVE
