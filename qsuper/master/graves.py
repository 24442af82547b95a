"""Children that have ended: their records stay until a living child has settled them."""

import logging
from dataclasses import dataclass

from qsuper.master.strays import Strays
from qsuper.place import Kind
from qsuper.scoreboard import Record

PATIENCE = 10.0
"""Seconds after which a tree that does not end is told about and no longer waited for."""

log = logging.getLogger("qsuper.master")


@dataclass(frozen=True, slots=True)
class _Fresh:
    """An end whose record is not closed yet."""

    record: Record
    status: int
    kind: Kind
    at: float


class Graves:
    """The records of the dead."""

    def __init__(self, kept: list[Record]) -> None:
        """`kept`: the unsettled ones of the master before."""
        self._strays = Strays()
        self._fresh: list[_Fresh] = []
        self._unsettled = kept
        self.reap = self._strays.reap

    def add(self, record: Record, status: int, kind: Kind, now: float) -> None:
        self._fresh.append(_Fresh(record, status, kind, now))

    def close(self, forked: frozenset[int], now: float) -> None:
        """Mark the dead as ended, once nothing that they have started is left.

        A record that says "ended" lets its jobs be run by others: not while a daemon of theirs
        still works on them.
        """
        if self._fresh and self._strays.kill(forked):
            if now - self._fresh[0].at < PATIENCE:
                return
            log.error("what pid %d has started does not end", self._fresh[0].record.pid)
        for end in self._fresh:
            end.record.status = end.status
            # A settler that was slow with the record's last owner may have marked this one.
            end.record.settled = 0
            end.record.ended = 1
            if end.kind.per_queue:
                self._unsettled.append(end.record)
            else:
                end.record.used = 0
        self._fresh.clear()

    @property
    def open(self) -> bool:
        """Whether an end is not closed yet."""
        return bool(self._fresh)

    def sweep(self, forked: frozenset[int]) -> None:
        """Now and then: kill strays that came without a word."""
        self._strays.kill(forked)

    def settle(self) -> int:
        """Free the records that a living child has settled; how many still wait."""
        waiting = []
        for record in self._unsettled:
            # Looked at once: the settler writes meanwhile.
            if record.settled:
                record.used = 0
            else:
                waiting.append(record)
        self._unsettled = waiting
        return len(self._unsettled) + len(self._fresh)
