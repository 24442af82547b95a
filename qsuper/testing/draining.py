"""When jobs run in a test: all that are ready, now; or each as soon as it is added."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from qsuper.client import Queue
from qsuper.redis.waking import Waker
from qsuper.testing.ran import Ran
from qsuper.testing.stand import Stand

MOST = 1000
"""Jobs after which it is taken for certain that they add each other without end."""


def drain(queue: Queue, *, most: int = MOST, raises: bool = False) -> list[Ran]:
    """Run every job that is ready, and those that they add, the most urgent first; returns what
    became of each.

    Failed attempts are recorded, as by a worker; with `raises` the first one's error is raised.
    """
    with Stand(queue) as stand:
        return stand.run(most, raises=raises)


@contextmanager
def inline(queue: Queue, *, raises: bool = True, most: int = MOST) -> Iterator[None]:
    """While the block runs, a job runs as soon as it is added, before `add` returns.

    What its code raises comes out of `add`; with `raises=False` it is recorded only. What is not
    ready waits. What a job adds runs after it, what a caller adds in its own transaction or another
    thread runs with the next one, at the latest at the end of the block.
    """
    with Stand(queue) as stand:
        worker = _AtOnce(stand, most, raises=raises)
        before, queue._waker = queue._waker, worker
        try:
            yield
            worker.wake()
        finally:
            queue._waker = before


class _AtOnce(Waker):
    """Where others are told that there is something to do, this does it."""

    def __init__(self, stand: Stand, most: int, *, raises: bool) -> None:
        super().__init__(lambda: None)
        self._stand = stand
        self._most = most
        self._raises = raises
        self._busy = False

    def wake(self, queue: str = "", count: int = 1) -> None:  # noqa: ARG002
        if self._busy or threading.current_thread() is not threading.main_thread():
            return
        self._busy = True
        try:
            self._stand.run(self._most, raises=self._raises)
        finally:
            self._busy = False
