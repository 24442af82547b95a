"""What a task's own code may ask and say of its job."""

import threading
import time
from typing import Any

import pytest

from qsuper import current_job
from qsuper.errors import ParamError, QsuperError
from qsuper.job import Job
from qsuper.tasks.current import STATE_BYTES_MOST, CurrentJob, being, running
from tests.wait import wait_for

JOB = Job(7, "send_msg", '{"uid":4}', 2, 5, 30.0, 3)


class Notes:
    """A desk that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.state: str | None = None

    def progress(self, job: Job, fraction: float, text: str) -> None:
        self.told.append((job.id, fraction, text))

    def load_state(self, _job: Job) -> str | None:
        return self.state

    def save_state(self, _job: Job, text: str) -> None:
        self.state = text


@pytest.fixture
def desk() -> Notes:
    return Notes()


@pytest.fixture
def job(desk: Notes) -> CurrentJob:
    return CurrentJob(JOB, "mail", desk, deadline=time.time() + 30)


def test_outside_a_job_there_is_none() -> None:
    assert running() is None
    with pytest.raises(QsuperError, match="no job runs here"):
        current_job()


def test_a_job_knows_itself_from_any_of_its_threads(job: CurrentJob) -> None:
    seen: list[CurrentJob] = []
    with being(job):
        thread = threading.Thread(target=lambda: seen.append(current_job()))
        thread.start()
        thread.join()
        assert current_job() is job
    assert seen == [job]
    assert (job.id, job.task, job.queue, job.attempt) == (7, "send_msg", "mail", 2)
    assert job.remaining is not None
    assert 20 < job.remaining <= 30
    assert running() is None


def test_a_thread_that_an_earlier_job_has_left_has_no_part_in_the_next(desk: Notes) -> None:
    go_on, seen = threading.Event(), list[CurrentJob | None]()

    def live_on() -> None:
        go_on.wait()
        seen.append(running())

    began = time.monotonic()
    with being(CurrentJob(JOB, "mail", desk)):
        left = threading.Thread(target=live_on)
        left.start()
    # A thread's start is told in hundredths of a second.
    wait_for(lambda: time.monotonic() > began + 0.05)
    with being(CurrentJob(JOB, "mail", desk)):
        go_on.set()
        left.join()
    assert seen == [None]


def test_a_job_without_a_time_out_has_no_deadline(desk: Notes) -> None:
    assert CurrentJob(JOB, "mail", desk).remaining is None


def test_progress_is_kept_between_nothing_and_all(job: CurrentJob, desk: Notes) -> None:
    for fraction in (-1, 0.25, 7):
        job.progress(fraction, "resizing")
    assert desk.told == [(7, 0.0, "resizing"), (7, 0.25, "resizing"), (7, 1.0, "resizing")]


@pytest.mark.parametrize("fraction", ["half", None, float("nan"), True])
def test_progress_that_is_no_number_is_refused(job: CurrentJob, fraction: Any) -> None:
    with pytest.raises(ParamError, match="from 0 to 1"):
        job.progress(fraction)


def test_state_comes_back_as_it_was_saved(job: CurrentJob) -> None:
    assert job.state is None
    job.state = {"line": 7, "names": ["ä", None]}
    assert job.state == {"line": 7, "names": ["ä", None]}


@pytest.mark.parametrize("state", [{1, 2}, float("inf"), "x" * (STATE_BYTES_MOST + 1)])
def test_state_that_cannot_be_kept_is_refused(job: CurrentJob, desk: Notes, state: Any) -> None:
    with pytest.raises(ParamError, match="the state"):
        job.state = state
    assert desk.state is None


def test_a_transaction_is_for_its_own_thread_and_database(job: CurrentJob) -> None:
    job.connection, job.store = "open", "a.db"
    assert job.transaction("a.db") == "open"
    assert job.transaction("b.db") is None
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(job.transaction("a.db")))
    thread.start()
    thread.join()
    assert seen == [None]


def test_a_transactional_task_has_no_state_beside_what_it_writes(job: CurrentJob) -> None:
    job.connection = "open"
    with pytest.raises(QsuperError, match="what it writes is its state"):
        job.state = 1
