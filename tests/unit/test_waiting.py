import os
import time

from qsuper.roles.waiting import Waiting


def spin(seconds: float) -> None:
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        pass


def test_time_without_a_processor_is_told_and_told_once() -> None:
    free = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(free)})
    rival = os.fork()
    if rival == 0:
        spin(60)
        os._exit(0)
    try:
        waiting = Waiting()
        began = time.monotonic()
        spin(0.3)
        seconds = time.monotonic() - began
        waited = waiting.since()
    finally:
        os.kill(rival, 9)
        os.waitpid(rival, 0)
        os.sched_setaffinity(0, free)
    assert 0.05 < waited <= seconds - 0.25
    assert waiting.since() < waited


def test_time_asleep_is_none_of_it() -> None:
    waiting = Waiting()
    time.sleep(0.2)
    assert waiting.since() < 0.15
