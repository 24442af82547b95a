"""The application of the dashboard's tests."""

import time

from qsuper import Queue, current_job

queue = Queue()


@queue.task
def work(n: int, seconds: float = 0.0) -> None:
    time.sleep(seconds)


@queue.task
def report(n: int, seconds: float = 0.0) -> None:
    """Says how far it is, ten times."""
    for part in range(10):
        current_job().progress(part / 10, f"part {part}")
        time.sleep(seconds / 10)


@queue.schedule("0 0 1 1 *")
@queue.task
def sweep() -> None:
    pass


@queue.task
def nothing() -> None:
    """Takes no time: what is measured is all that is around it."""
