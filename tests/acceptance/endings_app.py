"""An application whose jobs start whole trees of processes, and do not want to end."""

import asyncio
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from qsuper.tasks.current import CurrentJob
from tests.acceptance.app import JOURNAL_VARIABLE, first_time, journal, queue
from tests.acceptance.trees import Tree

__all__ = ["queue"]

FOR_EVER = 3600
HOPPING = 20.0
"""Seconds after which a tree that nobody ends has pity."""
WIDE = 40


def tree_of(n: int) -> Tree:
    return Tree(os.environ[JOURNAL_VARIABLE], n)


def wait_for_it(n: int) -> None:
    tree_of(n).grow(deaf=False).wait()


def wait_for_a_deaf_one(n: int) -> None:
    tree_of(n).grow(deaf=True).wait()


def swallow(n: int) -> None:
    tree_of(n).grow(deaf=False)
    sleep_through_all()


def sleep_through_all() -> None:
    while True:
        try:
            time.sleep(FOR_EVER)
        except BaseException:
            continue


def swallow_beside_a_deaf_one(n: int) -> None:
    tree_of(n).grow(deaf=True)
    swallow(n)


def hold_the_interpreter(n: int) -> None:
    """In C, where no handler runs: PyDLL, unlike CDLL, does not let go of it."""
    tree = tree_of(n)
    tree.grow(deaf=False)
    while not tree.has_grown():
        time.sleep(0.01)
    library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(128)
    # No signal ends the second call.
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)


def block_the_alarm(n: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        tree_of(n).grow(deaf=True).wait()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})


def hop(n: int) -> None:
    """A process that forks and ends without pause: whoever looks finds its pid gone."""
    tree = tree_of(n)
    root = tree.plant()
    if os.fork():
        os.close(root)
        tree.grew()
        time.sleep(FOR_EVER)
    ends = time.monotonic() + HOPPING
    while time.monotonic() < ends:
        if os.fork():
            os._exit(0)
    os._exit(0)


def swallow_beside_a_hopping_one(n: int) -> None:
    with suppress(BaseException):
        hop(n)
    sleep_through_all()


def spread(n: int) -> None:
    """Many, each of which ignores TERM and replaces the one that it was forked by."""
    tree = tree_of(n)
    root = tree.plant()
    for _ in range(WIDE):
        script = "trap '' TERM; sh -c 'sleep 3600' & (setsid sleep 3600 &) ; wait"
        subprocess.Popen(["sh", "-c", script], pass_fds=(root,))
    os.close(root)
    tree.grew()
    time.sleep(FOR_EVER)


HOW: dict[str, Callable[[int], None]] = {
    each.__name__: each
    for each in (
        wait_for_it,
        wait_for_a_deaf_one,
        swallow,
        swallow_beside_a_deaf_one,
        hold_the_interpreter,
        block_the_alarm,
        hop,
        swallow_beside_a_hopping_one,
        spread,
    )
}


@queue.task
def resist(n: int, how: str) -> None:
    """Its first run is one of `HOW`; the next one finds nothing of it."""
    with journal.run(n):
        if first_time(n):
            HOW[how](n)
        assert not tree_of(n).lives(), "something of the first attempt is left"


@queue.task
async def wait_asynchronously(n: int) -> None:
    with journal.run(n):
        await asyncio.sleep(FOR_EVER)


@queue.task
def wait_for_a_program(n: int) -> None:
    """Deaf to the alarm, and fails as soon as its program does."""
    with journal.run(n):
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        subprocess.run(["sleep", str(FOR_EVER)], check=True)


@queue.task
def leave_a_tree(n: int) -> None:
    """On purpose: it is to live on."""
    with journal.run(n):
        tree = tree_of(n)
        tree.grow(deaf=False)
        while not tree.has_grown():
            time.sleep(0.01)


@queue.task(transactional=True)
def write_and_wait(n: int, connection: Any) -> None:
    """What it writes is seen only if it is done."""
    with journal.run(n):
        connection.cursor().execute(f"INSERT INTO effects (n) VALUES ({n})")
        tree_of(n).grow(deaf=False).wait()


@resist.on_failure
def note_failure(job: CurrentJob, _error: BaseException) -> None:
    Path(f"{os.environ[JOURNAL_VARIABLE]}.failure.{job.id}").touch()
