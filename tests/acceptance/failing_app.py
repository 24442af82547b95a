"""An application whose jobs fail, each in its own way, and say what is to follow."""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from qsuper import Discard, Queue, Retry, Snooze, current_job
from qsuper.tasks.current import CurrentJob
from tests.acceptance.app import JOURNAL_VARIABLE, first_time
from tests.acceptance.journal import Journal

queue = Queue()
PLACE = os.environ.get(JOURNAL_VARIABLE, os.devnull)
journal = Journal(Path(PLACE))
told = os.open(f"{PLACE}.hooks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _tell(hook: str, job: CurrentJob, what: object = "") -> None:
    os.write(told, f"{job.id} {job.attempt} {hook} {what!r}\n".encode())


@queue.before
def before_all(job: CurrentJob) -> None:
    _tell("before", job)


@queue.after
def after_all(job: CurrentJob) -> None:
    _tell("after", job)


@queue.on_failure
def failed(job: CurrentJob, error: BaseException) -> None:
    _tell("failed", job, error)


@queue.before
def break_down(_job: CurrentJob) -> NoReturn:
    raise RuntimeError("this hook is broken")


class Refused(ValueError):
    """An error that no repetition mends."""


@queue.task
def fail(n: int) -> NoReturn:
    """As often as it may; says why on both outputs."""
    with journal.run(n):
        print(f"about to fail: {n}")
        print("on standard error", file=sys.stderr)
        raise ValueError(f"attempt {current_job().attempt}")


@queue.task(max_attempts=3, backoff=(0.2, 0.3))
def fail_soon_again(n: int) -> NoReturn:
    """Its own backoff."""
    with journal.run(n):
        raise ValueError("again")


@queue.task(max_attempts=3)
def fail_again(n: int) -> NoReturn:
    """The same with everybody's."""
    with journal.run(n):
        raise ValueError("again")


@queue.task(no_retry=ValueError)
def fail_for_good(n: int) -> NoReturn:
    with journal.run(n):
        raise Refused("no such uid")


@queue.task
def try_later(n: int) -> None:
    with journal.run(n):
        if first_time(n):
            raise Retry("the gateway is busy", in_=0.2)


@queue.task(max_attempts=1)
def snooze(n: int) -> None:
    with journal.run(n):
        if first_time(n):
            raise Snooze(in_=0.2)


@queue.task
def discard(n: int) -> NoReturn:
    with journal.run(n):
        raise Discard("the order is gone")


@queue.task
def count_up(n: int) -> None:
    """Three steps, and its worker is killed after each of the first two."""
    with journal.run(n):
        job = current_job()
        step = (job.state or 0) + 1
        print(f"step {step}")
        job.state = step
        if step < 3:
            os.kill(os.getpid(), signal.SIGKILL)


@queue.task
def resize(n: int) -> None:
    """Stops when it is two fifths through, until somebody says more."""
    with journal.run(n):
        current_job().progress(0.4, "resizing ü")
        with open(f"{PLACE}.gate") as gate:
            gate.read()


@queue.task(max_age=60)
def quote(n: int) -> None:
    """Worth nothing after a minute."""
    with journal.run(n):
        pass


@queue.task
def work(n: int) -> None:
    with journal.run(n):
        pass
