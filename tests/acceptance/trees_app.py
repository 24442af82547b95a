"""An application whose jobs start programs and get stuck, and whose workers sign a register."""

import collections
import itertools
import os
import re
import subprocess
import time

from tests.acceptance.app import JOURNAL_VARIABLE, first_time, journal, queue
from tests.acceptance.reigns import sign

__all__ = ["queue"]

SLEEP = ("sleep", "3600")

if nonce := os.environ.get("QSUPER_RUN"):
    sign(os.environ[JOURNAL_VARIABLE], nonce)


@queue.task
def wait_for_program(n: int) -> None:
    """Its first run waits for a program that does not end."""
    with journal.run(n):
        if first_time(n):
            subprocess.run(SLEEP, check=True)


@queue.task
def leave_a_daemon(n: int) -> None:
    """Its first run starts a daemon in a session of its own, and goes on beside it."""
    with journal.run(n):
        if first_time(n):
            subprocess.run(["setsid", "--fork", *SLEEP], check=True)
            time.sleep(3600)


@queue.task
def match_for_ever(n: int) -> None:
    """Its first run is caught in a pattern that backtracks."""
    with journal.run(n):
        if first_time(n):
            re.match(r"(a+)+$", "a" * 60 + "b")


@queue.task
def hold_the_interpreter(n: int) -> None:
    """Its first run leaves a daemon and then never returns to Python: no handler runs any more."""
    with journal.run(n):
        if first_time(n):
            subprocess.run(["setsid", "--fork", *SLEEP], check=True)
            collections.deque(itertools.repeat(None), maxlen=0)
