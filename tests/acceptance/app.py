"""The application of the acceptance tests: tasks that keep the journal."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

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


@queue.task(transactional=True)
def work_in_a_transaction(connection: Any, n: int) -> None:
    with journal.run(n):
        connection.cursor().execute("SELECT 1")


@queue.task
def urgent(n: int) -> None:
    """The same under another name, taking no time."""
    with journal.run(n):
        pass


def first_time(n: int) -> bool:
    """Whether no run of this job, of whatever process, has asked before."""
    try:
        os.close(os.open(f"{os.environ[JOURNAL_VARIABLE]}.{n}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


@queue.task
def hang_once(n: int) -> None:
    """Its first run lasts until somebody ends it, the next ones take no time."""
    with journal.run(n):
        if first_time(n):
            time.sleep(3600)


@queue.task
def hold_once(n: int, hold: bool = False) -> None:
    """With `hold`, the first run keeps the interpreter: no other thread of the process runs."""
    with journal.run(n):
        if hold and first_time(n):
            # PyDLL, unlike CDLL, does not let go of the interpreter.
            ctypes.PyDLL(None).sleep(3600)


@queue.task
def hold_until_told(n: int) -> None:
    """Lasts until the test says so (`Daemon.tell`)."""
    with journal.run(n):
        while not Path(f"{os.environ[JOURNAL_VARIABLE]}.{n}.told").exists():
            time.sleep(0.02)


@queue.task
def kill_worker(n: int) -> None:
    with journal.run(n):
        os.kill(os.getpid(), signal.SIGKILL)


@queue.task
def raise_an_error() -> None:
    raise ValueError("no such recipient: \udcff\0")


class Unspeakable(Exception):
    """An error that cannot be put into words."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")


@queue.task
def raise_the_unspeakable() -> None:
    raise Unspeakable


@queue.task
def leave() -> None:
    sys.exit("had enough")


@queue.task
def interrupt() -> None:
    raise KeyboardInterrupt


@queue.task
def die() -> None:
    os._exit(3)


@queue.task
def print_anything() -> None:
    """Every byte there is, then half a line that no text encoding knows."""
    os.write(1, bytes(range(256)) * 8)
    os.write(2, b"\x1b[2J\xff\xfe")
    print("a lone surrogate: \udcff", end="")


@queue.task
def close_the_output() -> None:
    """And what is left to the next job is another's."""
    sys.stdout.close()
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - it is left open on purpose


@queue.task
def fork_and_return() -> None:
    """Two processes come back from here."""
    os.fork()


@queue.task
def take_nothing() -> None:
    """Has no arguments: its param is NULL."""


@queue.task
def take_text(text: str) -> None:
    assert len(text) > 15_000_000
