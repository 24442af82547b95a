"""The application of the tests about limits and rates: tasks that keep the journal."""

import time

from qsuper import Limit
from tests.acceptance import app

queue = app.queue
journal = app.journal

MOST = 3
RATE = 10


@queue.task(limit=MOST)
def three_at_once(n: int, seconds: float = 0.0) -> None:
    with journal.run(n):
        time.sleep(seconds)


@queue.task(limit=Limit(1, by="uid"))
def one_for_each(n: int, uid: int, seconds: float = 0.0) -> None:
    with journal.run(n):
        time.sleep(seconds)


@queue.task(rate=RATE)
def ten_a_second(n: int) -> None:
    with journal.run(n):
        pass


@queue.task(rate="6000/m", limit=2)
def both(n: int, seconds: float = 0.0) -> None:
    with journal.run(n):
        time.sleep(seconds)
