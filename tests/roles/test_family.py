"""What a job has started ends with it; what an earlier one has left does not."""

import multiprocessing
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from qsuper import processes
from qsuper.kinship import become_subreaper
from qsuper.roles.family import end_what_began
from qsuper.scoreboard import clock
from tests.wait import wait_for

FORK = multiprocessing.get_context("fork")
SLEEP = ("sleep", "3600")
EXIT = {"x86_64": 60, "aarch64": 93}
"""The number of the system call that ends one thread."""


@pytest.fixture
def as_worker() -> Callable[[Callable[[], None]], None]:
    """Runs code in a process that adopts orphans, as a worker does."""

    def work(code: Callable[[], None]) -> None:
        become_subreaper()
        try:
            code()
        finally:
            end_what_began(0.0)

    def run(code: Callable[[], None]) -> None:
        process = FORK.Process(target=work, args=(code,))
        process.start()
        process.join(60)
        assert process.exitcode == 0

    return run


def a_tick_later() -> float:
    """The time of a new tick: what was started before is older."""
    now = clock()
    wait_for(lambda: processes.ticks_at(clock()) > processes.ticks_at(now) + 1)
    return clock()


def pids() -> set[int]:
    return {process.pid for process in processes.descendants(os.getpid())}


def test_what_an_earlier_job_has_left_lives_on_and_so_does_what_that_starts(
    as_worker: Callable[[Callable[[], None]], None],
) -> None:
    def code() -> None:
        script = "read line; sleep 3600 & echo; wait"
        with subprocess.Popen(
            ["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as older:
            assert older.stdin is not None
            assert older.stdout is not None
            began = a_tick_later()
            subprocess.Popen(SLEEP)
            older.stdin.write(b"\n")
            older.stdin.flush()
            older.stdout.readline()
            before = pids()
            assert len(before) == 3
            end_what_began(began)
            left = pids()
            assert older.pid in left
            assert len(left) == 2
            end_what_began(0.0)

    as_worker(code)


def test_a_daemon_that_was_forked_twice_and_hears_no_term_is_ended(
    as_worker: Callable[[Callable[[], None]], None],
) -> None:
    def code() -> None:
        began = clock()
        script = "trap '' TERM; (setsid sh -c 'sleep 3600 & exec sleep 3600' &)"
        subprocess.run(["sh", "-c", script], check=True)
        wait_for(lambda: len(pids()) == 2)
        end_what_began(began)
        assert not processes.children(), "and reaped"

    as_worker(code)


def test_a_child_of_another_thread_is_found(
    as_worker: Callable[[Callable[[], None]], None],
) -> None:
    def code() -> None:
        began = clock()
        started, over = threading.Event(), threading.Event()

        def start() -> None:
            subprocess.Popen(SLEEP)
            started.set()
            over.wait(60)

        thread = threading.Thread(target=start)
        thread.start()
        assert started.wait(60)
        assert processes.children()
        end_what_began(began)
        assert not processes.children()
        over.set()
        thread.join()

    as_worker(code)


def test_a_program_whose_main_thread_has_ended_is_ended(
    as_worker: Callable[[Callable[[], None]], None],
) -> None:
    """To the process table it is a zombie, and yet its other threads run."""
    program = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(3600,)).start()\n"
        f"ctypes.CDLL(None).syscall({EXIT[platform.machine()]}, 0)"
    )

    def code() -> None:
        began = clock()
        child = subprocess.Popen([sys.executable, "-c", program])

        def half_dead() -> bool:
            look = processes.look(child.pid)
            return look is not None and look.zombie

        wait_for(half_dead)
        assert child.poll() is None
        end_what_began(began)
        assert not processes.children()

    as_worker(code)
