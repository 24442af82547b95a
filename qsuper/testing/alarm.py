"""The process's one alarm, which a test runner may have set for a purpose of its own."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def alarm_lent() -> Iterator[None]:
    """While the block runs, time-outs of jobs may take it; afterwards it goes on where it was."""
    handler = signal.getsignal(signal.SIGALRM)
    left, every = signal.setitimer(signal.ITIMER_REAL, 0)
    began = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            # Nothing left would mean: no alarm at all.
            left = max(left - (time.monotonic() - began), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, every)
