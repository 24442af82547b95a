"""qsuper at full speed while its workers are killed, judged by the acceptance tests' journal."""

import random
import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bench.rig import Rig
from qsuper import Queue
from qsuper.store import schema
from qsuper.store.database import Database
from tests.acceptance import journal
from tests.acceptance.daemon import Daemon, alive
from tests.acceptance.journal import Death, Move, Run
from tests.wait import wait_for

WORKERS = 4
PATIENCE = 300.0
_RUNNING, _DONE = 2, 1
# A trigger that told of every move, as that of the tests does, would halve the speed.
_WATCH = (
    "CREATE TABLE undone (seq BIGINT AUTO_INCREMENT PRIMARY KEY, number BIGINT, new INT)",
    "CREATE TRIGGER undone AFTER UPDATE ON queue FOR EACH ROW"
    f" IF OLD.status = {_DONE} THEN INSERT INTO undone (number, new) VALUES (NEW.id, NEW.status);"
    " END IF",
)


@dataclass(frozen=True, slots=True)
class Kills:
    """What was found."""

    jobs: int
    kills: int
    at_work: int
    """Kills of workers that had run jobs."""
    cut_short: int
    """Kills in the midst of a job."""
    rate: float
    """Jobs a second, the kills and the new workers' starts included."""
    best_rate: float
    """The same over the best half second."""
    lost: int
    overlapping: int
    again: int
    """Acknowledged, and run again."""
    repeated: int
    """Runs of jobs that had run to their end, and of which the worker could not say so any more."""

    def __str__(self) -> str:
        return (
            f"{self.jobs:,} jobs at {self.rate:,.0f}/s ({self.best_rate:,.0f}/s in the best half"
            f" second), {self.kills} workers killed ({self.at_work} that had run jobs,"
            f" {self.cut_short} within one): lost {self.lost}, overlapping {self.overlapping},"
            f" acknowledged and run again {self.again}, unacknowledged repeats"
            f" {self.repeated} ({self.per_kill:.1f} a kill)"
        )

    @property
    def per_kill(self) -> float:
        return self.repeated / self.kills if self.kills else 0.0

    def figures(self) -> dict[str, float]:
        return {**asdict(self), "repeats per kill": self.per_kill}


def kill_workers(rig: Rig, folder: Path, jobs: int, every: float) -> Kills:
    """Drain on MariaDB while a random worker is killed each so many seconds; what must not be is
    asserted."""
    url = rig.mariadb.create_database()
    daemon = Daemon(folder, url)
    try:
        schema.upgrade(Database(url))
        rig.mariadb.query(f"USE {url.rpartition('/')[2]}", *_WATCH)
        queue = Queue(url)
        for first in range(1, jobs + 1, 1000):
            numbers = range(first, min(first + 1000, jobs + 1))
            queue.add_many("urgent", [{"n": number} for number in numbers])
        daemon.write_config(queues={"default": {"workers": WORKERS}}, log={"level": "warning"})
        daemon.start()
        deaths = _kill(daemon, jobs, every)
        wait_for(lambda: _count(rig, url, _DONE) == jobs, PATIENCE, "every job is done")
        assert daemon.stop() == 0
        return _judge(daemon, deaths, range(1, jobs + 1), _moves(rig, url))
    finally:
        daemon.clean_up()
        rig.mariadb.drop(url)


def _kill(daemon: Daemon, jobs: int, every: float) -> list[Death]:
    """Until each job has ended once, as far as can be seen from the length of the journal."""
    chance = random.Random(20261121)
    deaths: list[Death] = []
    daemon.wait_until(lambda: daemon.written() > 0, "the first job has begun")
    began = time.monotonic()
    while daemon.written() < 2 * jobs:
        time.sleep(max(0.0, began + every * (len(deaths) + 1) - time.monotonic()))
        assert time.monotonic() - began < PATIENCE, daemon.words()
        worker = chance.choice(wait_for(daemon.workers))
        pid, ticks = worker.pid, worker.ticks
        death = Death(pid, time.monotonic_ns())
        daemon.kill(worker)
        wait_for(partial(_is_gone, pid, ticks))
        deaths.append(death)
    return deaths


def _is_gone(pid: int, ticks: int) -> bool:
    return not alive(pid, ticks)


def _judge(daemon: Daemon, deaths: list[Death], numbers: range, moves: list[Move]) -> Kills:
    events = daemon.events()
    runs = journal.runs_of(events)
    lost = journal.lost(numbers, runs)
    overlapping = journal.overlapping(events, deaths)
    again = journal.again_after_ack(moves, runs)
    assert not lost, f"lost: {sorted(lost)[:10]}"
    assert not overlapping, f"overlapping: {overlapping[:10]}"
    assert not again, f"run again after its acknowledgement: {sorted(again)[:10]}"
    workers = {run.pid for run in runs}
    at_work = sum(death.pid in workers for death in deaths)
    assert 2 * at_work >= len(deaths), f"only {at_work} of {len(deaths)} kills hit a worker at work"
    seconds = (events[-1].at - events[0].at) / 1e9
    return Kills(
        jobs=len(numbers),
        kills=len(deaths),
        at_work=at_work,
        cut_short=journal.cut_short(deaths, runs),
        rate=len(numbers) / seconds,
        best_rate=best_rate([run.ended for run in runs if run.ended is not None]),
        lost=len(lost),
        overlapping=len(overlapping),
        again=len(again),
        repeated=repeated(runs),
    )


def repeated(runs: list[Run]) -> int:
    """Runs to the end beyond the first of each job."""
    ended = Counter(run.number for run in runs if run.succeeded)
    return sum(count - 1 for count in ended.values())


def best_rate(ends: list[int], window: float = 0.5) -> float:
    """Ends a second in the fullest of the windows, which do not overlap; `ends` in ns."""
    full = Counter(int(end / (window * 1e9)) for end in ends)
    return max(full.values(), default=0) / window


def _moves(rig: Rig, url: str) -> list[Move]:
    """As many claims as each row counts, and whatever left `done`."""
    database = url.rpartition("/")[2]
    claims = rig.mariadb.query(f"SELECT id, claims FROM {database}.queue")
    undone = rig.mariadb.query(f"SELECT number, new FROM {database}.undone ORDER BY seq")
    return [
        *(Move(id, 0, _RUNNING, None, 0, 0) for id, count in claims for _ in range(count)),
        *(Move(id, _RUNNING, _DONE, None, 0, 0) for id, _ in undone),
        *(Move(id, _DONE, new, None, 0, 0) for id, new in undone),
    ]


def _count(rig: Rig, url: str, status: int) -> int:
    database = url.rpartition("/")[2]
    rows = rig.mariadb.query(f"SELECT COUNT(*) FROM {database}.queue WHERE status = {status}")
    return int(rows[0][0])
