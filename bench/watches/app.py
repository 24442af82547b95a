"""The application: a task that writes down which key has expired, and when it began."""

import os
import time

from qsuper import Queue

FILE_VARIABLE = "QSUPER_BENCH_EXPIRIES"

queue = Queue()
_file = os.open(os.environ.get(FILE_VARIABLE, os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND)


@queue.watch("SN*:1")
def expired(key: str, deadline: float | None, how: str) -> None:
    os.write(_file, f"{key} {time.time()!r} {deadline!r} {how}\n".encode())
