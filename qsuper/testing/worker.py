"""A worker in the test's own process: no master, no fork, no thread, nothing redirected."""

import os

from qsuper.job import Job, Outcome
from qsuper.place import Place
from qsuper.roles.acks import Acks
from qsuper.roles.output import Output
from qsuper.roles.runner import Runner
from qsuper.roles.surroundings import Surroundings
from qsuper.roles.worker import Worker
from qsuper.roles.zombies import Zombies
from qsuper.store.database import Database, Link
from qsuper.tasks.registry import Registry


class _OpenAcks(Acks):
    """Remembers how the last job ended, before that is written."""

    last: tuple[Job, Outcome] | None = None

    def add(
        self, job: Job, outcome: Outcome, seconds: float, now: float, wait: float | None
    ) -> None:
        self.last = job, outcome
        super().add(job, outcome, seconds, now, wait)


class _NoOutput(Output):
    """What a job prints is the test's."""

    def __init__(self) -> None:
        """No file."""

    def collect(self) -> str:
        return ""


class _Untouched(Surroundings):
    """The process is the test's: it may have changed what a worker would put back."""

    def __init__(self) -> None:
        """Nothing is looked at."""

    def put_back(self, task: str, *, trusted: bool) -> str:  # noqa: ARG002
        return ""


class _NoZombies(Zombies):
    """The test's own processes are not ours to reap."""

    def reap(self, now: float) -> None:
        """Nobody."""


class _OwnRunner(Runner):
    def __init__(self, place: Place, database: Database, registry: Registry) -> None:
        assert place.queue is not None
        queue = place.queue.name
        super().__init__(registry, _NoOutput(), place.record, place.config, queue, database)
        self._surroundings = _Untouched()

    def take_alarm(self) -> None:
        self._alarm.take()


class OwnWorker(Worker):
    """Of one queue. `run_next` is a worker's round."""

    runner: _OwnRunner

    def __init__(self, place: Place, database: Database, registry: Registry) -> None:
        super().__init__(place)
        self.database, self.link = database, Link(database)
        self.acks: _OpenAcks = _OpenAcks(self.record, place.board.header.node)
        self.zombies = _NoZombies()
        self.equip(registry, _OwnRunner(place, database, registry))

    def run_next(self, now: float) -> tuple[Job, Outcome] | None:
        """Claim a job, run it, write its end: the job and how it ended. None when there was none
        to be claimed, or it was not worth running."""
        self.acks.last = None
        self.runner.take_alarm()
        self.tick(now)
        return self.acks.last

    def nothing(self, now: float) -> float | None:  # noqa: ARG002
        return None

    def close(self) -> None:
        os.close(self._wake_read)
        os.close(self._wake_write)
