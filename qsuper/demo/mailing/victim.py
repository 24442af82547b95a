"""A worker that is killed in the middle of a job."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from qsuper.scoreboard import Record, Scoreboard


@dataclass(frozen=True, slots=True)
class Victim:
    """A worker that was killed, and the job it had begun and not ended."""

    name: str
    pid: int
    job: int


def kill_a_worker(state_dir: Path) -> Victim | None:
    """SIGKILL one in the middle of a job; None when just now there was none."""
    board = Scoreboard.open(state_dir / "scoreboard")
    for record in board.records():
        if record.queue >= 0 and record.pid and not record.ended and record.in_flight:
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                if victim := _kill_in_mid_job(record, board.queue(record.queue).name):
                    return victim
    return None


def _kill_in_mid_job(record: Record, queue: str) -> Victim | None:
    """Freeze it first: only of a process that stands still is it certain what it does."""
    process = psutil.Process(record.pid)
    process.suspend()
    ends = time.monotonic() + 1.0
    while process.status() != psutil.STATUS_STOPPED and time.monotonic() < ends:
        time.sleep(0.0005)
    job = record.in_flight
    if job is None:
        process.resume()
        return None
    process.kill()
    return Victim(f"{queue}[{record.number}]", process.pid, job)
