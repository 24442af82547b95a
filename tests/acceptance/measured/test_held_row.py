"""A transaction that holds one timer's row: how late the others are."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from qsuper import Queue
from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.wait import wait_for

HELD_FOR = 20.0
BESIDE = 150
"""Timers that fall due while one row is held."""
LATE_MOST = 1.5
ATTEMPTS = 3
"""A machine that does something else for a moment has not shown anything yet."""
EACH = 1000
"""Between the numbers of the jobs of two attempts."""


def test_a_row_that_is_held_delays_no_other_timer(
    mariadb_daemon: Daemon, mariadb_rows: Rows, figures: Figures
) -> None:
    daemon = mariadb_daemon
    daemon.start()
    queue = Queue(mariadb_rows.url)
    for attempt in range(ATTEMPTS):
        worst = late_beside_a_held_row(daemon, mariadb_rows, queue, attempt)
        figures(held_s=HELD_FOR, timers=BESIDE, worst_s=worst)
        if worst <= LATE_MOST:
            break
    queue.close()
    assert worst <= LATE_MOST


def late_beside_a_held_row(daemon: Daemon, rows: Rows, queue: Queue, attempt: int) -> float:
    """How late the worst of the others was, in seconds; the held one fires once it is free."""
    before = len(daemon.runs())
    held = queue.timer("held", 1.0, "urgent", {"n": attempt * EACH})
    with holding(rows.url, held.id):
        began = time.monotonic()
        due = {}
        for number in range(attempt * EACH + 1, attempt * EACH + BESIDE + 1):
            delay = 1.0 + random.uniform(0.0, HELD_FOR - 1.0 - LATE_MOST)
            due[number] = time.monotonic() + delay
            queue.timer(f"beside:{number}", delay, "urgent", {"n": number})
        wait_for(lambda: time.monotonic() > began + HELD_FOR, 10 * HELD_FOR)
        daemon.wait_until(lambda: len(daemon.runs()) == before + BESIDE, "all beside it have fired")
        late = [run.began / 1e9 - due.pop(run.number) for run in daemon.runs()[before:]]
        assert held.state is State.SCHEDULED
    daemon.wait_until(lambda: held.state is State.DONE, "the held one fires")
    assert len(daemon.runs()) == before + BESIDE + 1
    return max(late)


@contextmanager
def holding(url: str, job_id: int) -> Iterator[None]:
    """Somebody changes one row and goes for lunch."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("UPDATE queue SET progress = 'x' WHERE id = :id"), {"id": job_id})
        yield
        connection.rollback()
