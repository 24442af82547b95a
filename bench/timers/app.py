"""The application: a task that writes down how late it began."""

import os
import time

from qsuper import Queue

LATENESS_VARIABLE = "QSUPER_BENCH_LATENESS"

queue = Queue()
_file = os.open(
    os.environ.get(LATENESS_VARIABLE, os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND
)


@queue.task
def stamp(due: float) -> None:
    os.write(_file, f"{time.time() - due!r}\n".encode())
