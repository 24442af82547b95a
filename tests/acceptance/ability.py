"""How many workers are there to begin a job, moment by moment, as the scoreboard says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from qsuper.scoreboard import PHASES, Scoreboard
from tests.acceptance.daemon import Daemon

LOOK_EVERY = 0.002
_AWAY = ("booting", "draining")


class Ability:
    """The fewest that were there at one moment."""

    def __init__(self) -> None:
        self.fewest: int | None = None
        self._seen: frozenset[int] | None = None

    def note(self, able: frozenset[int]) -> None:
        """What one look has found. Records are read one after the other while others write: two
        looks in a row that find the same have seen one moment, that between them."""
        if able == self._seen:
            self.fewest = len(able) if self.fewest is None else min(self.fewest, len(able))
        self._seen = able


def able(board: Scoreboard) -> frozenset[int]:
    """The pids of workers that have booted, live, and were not told to leave."""
    return frozenset(
        record.pid
        for record in board.records()
        if record.role == "worker"
        and record.pid
        and not record.ended
        and not record.order
        and PHASES[record.phase] not in _AWAY
    )


@contextmanager
def watched(daemon: Daemon) -> Iterator[Ability]:
    """Look all the time while the block runs."""
    board = daemon.board()
    assert board is not None, "the daemon has not started"
    found = Ability()
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY):
            found.note(able(board))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
