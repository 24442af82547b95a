"""Racers who take a timer back, or move it, at the very moment at which it fires."""

import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from qsuper import Queue
from tests.acceptance.journal import Run

RACERS = 4
AHEAD = 0.05
"""Seconds from when a timer is set to when it is due."""
LATER = 0.3
"""Seconds by which a timer is moved."""
NEW = 1_000_000
"""Added to the number of a job that is moved."""
ROUNDING = 0.002
"""Seconds: SQLite's dates are in milliseconds."""


@dataclass(frozen=True, slots=True)
class Race:
    """One race, and what the racer was told."""

    number: int
    won: bool
    """The timer was taken back, or moved, before it fired."""
    not_before: float
    """CLOCK_MONOTONIC from which a moved timer is due again."""


class Aim:
    """Where the line lies between too early and too late, learnt race by race."""

    def __init__(self) -> None:
        self._line = 0.0
        self._lock = threading.Lock()

    def offset(self) -> float:
        """Seconds from due to the next try."""
        return self._line + random.uniform(-0.004, 0.004)

    def learn(self, won: bool) -> None:
        with self._lock:
            self._line += 0.001 if won else -0.001


def race(queue: Queue, count: int, run: Callable[[Queue, int, int], bool]) -> list[Race]:
    """Hold `count` races; `run` is `cancel` or `move`."""
    aim = Aim()

    def one(number: int) -> Race:
        due = time.time() + AHEAD
        job = queue.timer(f"race:{number}", at=due, task="urgent", param={"n": number})
        time.sleep(max(0.0, due + aim.offset() - time.time()))
        not_before = time.monotonic() + LATER - ROUNDING
        won = run(queue, number, job.id)
        aim.learn(won)
        return Race(number, won, not_before)

    with ThreadPoolExecutor(RACERS) as racers:
        return list(racers.map(one, range(1, count + 1)))


def cancel(queue: Queue, number: int, _job_id: int) -> bool:
    return queue.cancel(f"race:{number}")


def move(queue: Queue, number: int, job_id: int) -> bool:
    """What was moved keeps its id; what had fired is followed by another job."""
    return job_id == queue.timer(f"race:{number}", LATER, "urgent", {"n": number + NEW}).id


def wrong_cancels(races: Iterable[Race], runs: Iterable[Run]) -> list[int]:
    """Races of which not just one thing came: it was taken back and never ran, or it ran once."""
    count = _by_number(runs)
    return [one.number for one in races if len(count(one.number)) != (0 if one.won else 1)]


def wrong_moves(races: Iterable[Race], runs: Iterable[Run]) -> list[int]:
    """Races after which the old job ran though it was moved, or the new one not once, or early."""
    found = _by_number(runs)
    wrong = []
    for one in races:
        old, new = found(one.number), found(one.number + NEW)
        if (
            len(old) != (0 if one.won else 1)
            or len(new) != 1
            or new[0].began < one.not_before * 1e9
        ):
            wrong.append(one.number)
    return wrong


def _by_number(runs: Iterable[Run]) -> Callable[[int], list[Run]]:
    found: dict[int, list[Run]] = {}
    for run in runs:
        found.setdefault(run.number, []).append(run)
    return lambda number: found.get(number, [])
