"""An application whose jobs fork, await, and meddle with what is the worker's."""

import asyncio
import multiprocessing
import os
import signal
import time

from tests.acceptance.app import journal, queue

__all__ = ["queue"]

FORK = multiprocessing.get_context("fork")


def _sleep(begun: "multiprocessing.synchronize.Event") -> None:
    begun.set()
    time.sleep(3600)


def _terminate_a_child(n: int, patient: bool) -> None:
    """By SIGTERM, which the child is to die of."""
    with journal.run(n):
        begun = FORK.Event()
        child = FORK.Process(target=_sleep, args=(begun,))
        child.start()
        if patient:
            begun.wait()
        child.terminate()
        child.join()
        assert child.exitcode == -signal.SIGTERM


@queue.task
def terminate_a_child(n: int) -> None:
    _terminate_a_child(n, patient=True)


@queue.task
def terminate_a_newborn_child(n: int) -> None:
    """It may not yet have run at all."""
    _terminate_a_child(n, patient=False)


@queue.task
def use_a_pool(n: int) -> None:
    """Leaving the block terminates its processes."""
    with journal.run(n), FORK.Pool(2) as pool:
        assert pool.map(abs, range(-5, 0)) == [5, 4, 3, 2, 1]


@queue.task
async def pause(n: int) -> None:
    """Has run only if somebody awaited it."""
    with journal.run(n):
        await asyncio.sleep(0.01)


@queue.task
async def pause_and_fail(n: int) -> None:
    with journal.run(n):
        await asyncio.sleep(0.01)
        raise ValueError("awaited and refused")


@queue.task
def take_the_alarm(n: int) -> None:
    with journal.run(n):
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0.01)


@queue.task
def hang(n: int) -> None:
    with journal.run(n):
        time.sleep(3600)


@queue.task
def leave_an_orphan(n: int) -> None:
    """It ends when the job has long been done."""
    with journal.run(n):
        assert os.system("(sleep .2 &) ; true") == 0
