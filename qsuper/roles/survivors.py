"""Workers that do not notice that their master is dead: a job holds their interpreter.

No handler runs in such a process, so nobody but another one can end it.
"""

import os
import signal
import time
from contextlib import suppress

import psutil

from qsuper import processes
from qsuper.place import Place
from qsuper.scoreboard import Record, clock

PATIENCE = 1.0
"""Seconds in which workers are to leave by themselves; a little more than they may take."""
TIME_TO_LEAVE = PATIENCE + 0.6
"""Seconds that whoever waits for them may live on itself."""
LOOK_EVERY = 0.05


def end_survivors(place: Place) -> None:
    """Wait for the workers to leave, then kill those that do not, and what they have started."""
    ends = clock() + PATIENCE
    while (left := _left(place)) and clock() < ends:
        time.sleep(LOOK_EVERY)
    for record in left:
        _kill(record)


def _left(place: Place) -> list[Record]:
    return [
        record
        for record in place.board.records()
        if record.queue >= 0 and not record.ended and processes.lives(record.pid, record.ticks)
    ]


def _kill(record: Record) -> None:
    """The worker goes first, so that it cannot report its programs' death as a failure."""
    with suppress(psutil.Error, OSError):
        programs = psutil.Process(record.pid).children(recursive=True)
        descriptor = os.pidfd_open(record.pid)
        try:
            if processes.lives(record.pid, record.ticks):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)
        for program in programs:
            with suppress(psutil.Error):
                program.kill()
