"""The application of the acceptance tests: tasks that keep the journal."""

import os
import time
from pathlib import Path

from qsuper import Queue
from tests.acceptance.journal import Journal

JOURNAL_VARIABLE = "QSUPER_TEST_JOURNAL"

queue = Queue()
journal = Journal(Path(os.environ.get(JOURNAL_VARIABLE, os.devnull)))


@queue.task
def work(n: int, seconds: float = 0.0) -> None:
    """Take `seconds`, asleep."""
    with journal.run(n):
        time.sleep(seconds)


@queue.task
def urgent(n: int) -> None:
    """The same under another name, taking no time."""
    with journal.run(n):
        pass
