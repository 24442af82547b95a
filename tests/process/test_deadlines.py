"""The steps by which a job past its deadline is ended, in a time of the test's own."""

import itertools
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from qsuper.master.child import Child
from qsuper.master.crew import Crew
from qsuper.master.deadlines import ASK_AFTER, KILL_AFTER, TERM_AFTER, Deadlines
from qsuper.place import Kind
from qsuper.scoreboard import REASON_CANCEL, REASON_TIMEOUT, Record, Scoreboard

KIND = Kind("worker", lambda _place: 0, per_queue=True)
JOB = 4711
BEGAN = 1000.0


class FakeCrew:
    """One worker, whose process is a program that sleeps; nobody is killed."""

    def __init__(self, record: Record, pid: int) -> None:
        child = Child(KIND, 0.0, queue="default")
        child.forked(pid, record, 0.0)
        self.workers = [child]
        self.killed: list[str] = []

    def kill(self, child: Child, reason: str) -> None:
        child.killed = True
        self.workers = []
        self.killed.append(reason)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Of a worker that has begun a job with a time-out of ten seconds."""
    record = Scoreboard.create(tmp_path / "scoreboard").take()
    record.timeout, record.claims = 10.0, 1
    record.hold([JOB, JOB + 1])
    record.begin(0, BEGAN)
    return record


@pytest.fixture
def crew(record: Record) -> Iterator[FakeCrew]:
    worker = subprocess.Popen(["sleep", "3600"])
    # What it is sent stays pending, to be looked at.
    worker.send_signal(signal.SIGSTOP)
    yield FakeCrew(record, worker.pid)
    worker.kill()
    worker.wait()


def keep(deadlines: Deadlines, crew: FakeCrew, now: float) -> float:
    """One turn at that time; when the next one is wanted."""
    deadlines.keep(cast(Crew, crew), now)
    return deadlines.next(cast(Crew, crew))


def was_asked(crew: FakeCrew) -> bool:
    """Whether its process was sent SIGALRM."""
    (child,) = crew.workers
    status = Path(f"/proc/{child.pid}/status").read_text()
    pending = int(status.split("ShdPnd:")[1].split()[0], 16)
    return bool(pending & 1 << (signal.SIGALRM - 1))


def test_the_master_wakes_up_for_each_step_of_a_time_out(record: Record, crew: FakeCrew) -> None:
    deadlines = Deadlines()
    over = BEGAN + record.timeout
    assert keep(deadlines, crew, BEGAN + 1) == over
    assert keep(deadlines, crew, over) == over + TERM_AFTER
    assert keep(deadlines, crew, over + TERM_AFTER) == over + KILL_AFTER
    assert crew.killed == []
    keep(deadlines, crew, over + KILL_AFTER)
    assert crew.killed == [REASON_TIMEOUT]
    assert record.reason == REASON_TIMEOUT


def test_a_cancel_counts_from_the_moment_it_is_seen(record: Record, crew: FakeCrew) -> None:
    deadlines = Deadlines()
    record.timeout = 0.0
    record.cancel_claims, record.cancel = 1, JOB
    for asked, then in itertools.pairwise((*ASK_AFTER, TERM_AFTER)):
        assert keep(deadlines, crew, BEGAN + 5 + asked) == BEGAN + 5 + then
        assert was_asked(crew)
    assert keep(deadlines, crew, BEGAN + 6.5) == BEGAN + 5 + KILL_AFTER
    keep(deadlines, crew, BEGAN + 7)
    assert crew.killed == [REASON_CANCEL]


def test_a_master_that_was_held_up_takes_all_steps_at_once(record: Record, crew: FakeCrew) -> None:
    keep(Deadlines(), crew, BEGAN + 1000)
    assert crew.killed == [REASON_TIMEOUT]
    assert record.reason == REASON_TIMEOUT


def test_the_next_job_does_not_pay_for_the_one_before(record: Record, crew: FakeCrew) -> None:
    """Its steps begin anew, even where it is another attempt of the same job."""
    deadlines = Deadlines()
    over = BEGAN + record.timeout
    keep(deadlines, crew, over + TERM_AFTER)
    record.finish(0)
    record.claims = 2
    record.begin(0, over + 1.5)
    again = over + 1.5 + record.timeout
    assert keep(deadlines, crew, over + KILL_AFTER) == again
    assert keep(deadlines, crew, again) == again + TERM_AFTER
    assert crew.killed == []


@pytest.mark.parametrize("cursor", [0, 2, 4], ids=["before", "between", "after"])
def test_where_no_job_runs_there_is_nothing_to_end(
    record: Record, crew: FakeCrew, cursor: int
) -> None:
    deadlines = Deadlines()
    record.cursor = cursor
    record.cancel_claims, record.cancel = 1, JOB
    assert keep(deadlines, crew, BEGAN + 1000) == float("inf")
    assert not was_asked(crew)
    assert crew.killed == []
