"""The queues' records on the scoreboard, each with its wake pipe."""

import os
from collections.abc import Iterable, Mapping

from qsuper.errors import QsuperError
from qsuper.scoreboard import QUEUES_MOST, QueueRecord, Scoreboard


class Queues:
    """Every queue this run has ever had: an index, once given, stays that queue's."""

    def __init__(self, board: Scoreboard) -> None:
        self._board = board
        self.names: list[str] = []

    def index(self, name: str) -> int:
        return self.names.index(name)

    def find(self, name: str) -> QueueRecord:
        return self._board.queue(self.index(name))

    def add(self, names: Iterable[str]) -> None:
        """Give those that are new a record and a pipe; children forked before do not know it.

        Raises `QsuperError` when the scoreboard has no room for one more.
        """
        for name in names:
            if name in self.names:
                continue
            if len(self.names) == QUEUES_MOST:
                raise QsuperError(
                    f"there is no room for queue {name}: {QUEUES_MOST} have been in use since "
                    "the start, restart qsuper to forget the removed ones"
                )
            record = self._board.queue(len(self.names))
            record.name = name
            record.wanted = record.first = record.total = record.paused = 0
            record.wake_read, record.wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            self.names.append(name)
            self._board.header.queues = len(self.names)

    def want(self, wanted: Mapping[str, int]) -> None:
        """Write how many workers each queue is to have."""
        for index, name in enumerate(self.names):
            record = self._board.queue(index)
            count = wanted.get(name, 0)
            if record.wanted != count:
                record.wanted = count

    def close(self) -> None:
        """Close the pipes, when the last child is gone."""
        for index in range(len(self.names)):
            record = self._board.queue(index)
            os.close(record.wake_read)
            os.close(record.wake_write)
