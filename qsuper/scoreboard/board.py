"""The file itself: where it lies, how it is made, what stands where in it."""

import mmap
import os
import time
from collections.abc import Iterator
from pathlib import Path

from qsuper.errors import ScoreboardError
from qsuper.scoreboard.bulletin import BULLETIN_SIZE, Bulletin
from qsuper.scoreboard.fields import Memory, make
from qsuper.scoreboard.header import Header, QueueRecord
from qsuper.scoreboard.meter import (
    ENDED_METER_SIZE,
    ENDED_TASKS_MOST,
    METER_SIZE,
    Meter,
    Reading,
)
from qsuper.scoreboard.record import RECORD_SIZE, Record

MAGIC = b"QSUPER02"
SLOTS = 1024
"""Records: the most children one node can have, dead and not yet settled ones included."""
QUEUES_MOST = 64
BULLETINS = ("master", "keeper")

_HEADER_SIZE = 4096
_QUEUE_SIZE = 256
_QUEUES_AT = _HEADER_SIZE
_RECORDS_AT = _QUEUES_AT + QUEUES_MOST * _QUEUE_SIZE
_BULLETINS_AT = _RECORDS_AT + SLOTS * RECORD_SIZE
_METERS_AT = _BULLETINS_AT + len(BULLETINS) * BULLETIN_SIZE
_ENDED_AT = _METERS_AT + SLOTS * METER_SIZE
SIZE = _ENDED_AT + (QUEUES_MOST + 2) * ENDED_METER_SIZE
TIMERS, WATCHED = QUEUES_MOST, QUEUES_MOST + 1
"""Where, beside the queues, is counted how late timers and watched keys fire."""
_OF_RECORD = ("conflicts", "helps", "fenced")
"""Counters that a record holds itself."""
_LATE = {"scheduler": TIMERS, "listener": WATCHED}


def clock() -> float:
    """Seconds on the clock that all processes of a host share and that counts while it sleeps.

    A lease must run out while a laptop or a virtual machine is suspended: the database's clock
    does not stop. CLOCK_MONOTONIC would.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Scoreboard:
    """The file, mapped."""

    def __init__(self, mapped: mmap.mmap) -> None:
        self._memory = Memory(mapped)
        self.header = Header(self._memory, 0)

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> "Scoreboard":
        """Map an existing file; raises `ScoreboardError` when it is none of this version."""
        try:
            descriptor = os.open(path, os.O_RDWR if write else os.O_RDONLY)
        except OSError as error:
            raise ScoreboardError(f"cannot open {path}: {error.strerror}") from error
        try:
            if os.fstat(descriptor).st_size != SIZE or os.pread(descriptor, 8, 0) != MAGIC:
                raise ScoreboardError(f"{path} is not a scoreboard of this version")
            access = mmap.ACCESS_WRITE if write else mmap.ACCESS_READ
            return cls(mmap.mmap(descriptor, SIZE, access=access))
        finally:
            os.close(descriptor)

    @classmethod
    def create(cls, path: Path) -> "Scoreboard":
        """A new, empty file in the place of whatever was there."""
        make(path, SIZE, MAGIC)
        return cls.open(path, write=True)

    def queue(self, index: int) -> QueueRecord:
        return QueueRecord(self._memory, _QUEUES_AT + index * _QUEUE_SIZE)

    def queues(self) -> Iterator[QueueRecord]:
        return (self.queue(index) for index in range(self.header.queues))

    def record(self, slot: int) -> Record:
        return Record(self._memory, _RECORDS_AT + slot * RECORD_SIZE, slot)

    def records(self) -> Iterator[Record]:
        """Those in use, dead and not yet settled ones included."""
        for slot in range(min(self.header.rows, SLOTS)):
            record = self.record(slot)
            if record.used:
                yield record

    def take(self) -> Record:
        """A free record, cleared. The master's; raises `ScoreboardError` when none is left."""
        for slot in range(SLOTS):
            record = self.record(slot)
            if not record.used:
                self._keep_counts(record)
                record.clear()
                record.used = 1
                self.header.rows = max(self.header.rows, slot + 1)
                return record
        raise ScoreboardError("every record is taken by a dead child that waits to be settled")

    def meter(self, slot: int) -> Meter:
        """That of the process whose record is in `slot`."""
        return Meter(self._memory, _METERS_AT + slot * METER_SIZE)

    def counts(self) -> dict[int, Reading]:
        """All that was counted since the master has started, by the index of a queue, `TIMERS` or
        `WATCHED`; what belongs to none of them under `TIMERS`."""
        for _ in range(100):
            before = self.header.moving
            found = {index: self._ended(index).read() for index in self._subjects()}
            for slot in range(min(self.header.rows, SLOTS)):
                record = self.record(slot)
                subject = _subject(record.queue, record.role)
                found.setdefault(subject, Reading()).add(self._read(slot))
            if before % 2 == 0 and self.header.moving == before:
                break
        return found

    def forget_counts(self) -> None:
        """Begin at zero. The master's, before it forks."""
        for index in self._subjects():
            self._ended(index).clear()
        for slot in range(min(self.header.rows, SLOTS)):
            self._clear_counts(self.record(slot))
        # A master that was killed while it moved some has left it odd.
        self.header.moving = 0

    def _subjects(self) -> Iterator[int]:
        yield from range(self.header.queues)
        yield from (TIMERS, WATCHED)

    def _ended(self, index: int) -> Meter:
        """What those have counted whose records were given to others."""
        start = _ENDED_AT + index * ENDED_METER_SIZE
        return Meter(self._memory, start, ENDED_METER_SIZE, ENDED_TASKS_MOST)

    def _read(self, slot: int) -> Reading:
        record, reading = self.record(slot), self.meter(slot).read()
        for name in _OF_RECORD:
            reading.counters[name] += getattr(record, name)
        return reading

    def _keep_counts(self, record: Record) -> None:
        """Before a record is given away: readers see what it counted neither twice nor not at
        all."""
        if record.slot >= self.header.rows:
            return
        self.header.moving |= 1
        self._ended(_subject(record.queue, record.role)).add(self._read(record.slot))
        self._clear_counts(record)
        self.header.moving += 1

    def _clear_counts(self, record: Record) -> None:
        self.meter(record.slot).clear()
        for name in _OF_RECORD:
            setattr(record, name, 0)

    def bulletin(self, name: str) -> Bulletin:
        return Bulletin(self._memory, _BULLETINS_AT + BULLETINS.index(name) * BULLETIN_SIZE)


def _subject(queue: int, role: str) -> int:
    return queue if 0 <= queue < QUEUES_MOST else _LATE.get(role, TIMERS)
