"""The file itself: where it lies, how it is made, what stands where in it."""

import mmap
import os
import time
from collections.abc import Iterator
from pathlib import Path

from qsuper.errors import ScoreboardError
from qsuper.scoreboard.bulletin import BULLETIN_SIZE, Bulletin
from qsuper.scoreboard.fields import Memory
from qsuper.scoreboard.header import Header, QueueRecord
from qsuper.scoreboard.record import RECORD_SIZE, Record

MAGIC = b"QSUPER01"
SLOTS = 1024
"""Records: the most children one node can have, dead and not yet settled ones included."""
QUEUES_MOST = 64
BULLETINS = ("master", "keeper")

_HEADER_SIZE = 4096
_QUEUE_SIZE = 256
_QUEUES_AT = _HEADER_SIZE
_RECORDS_AT = _QUEUES_AT + QUEUES_MOST * _QUEUE_SIZE
_BULLETINS_AT = _RECORDS_AT + SLOTS * RECORD_SIZE
SIZE = _BULLETINS_AT + len(BULLETINS) * BULLETIN_SIZE


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
        fresh = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            # Not ftruncate: on a full disk a hole in a mapped file kills whoever writes to it.
            os.posix_fallocate(descriptor, 0, SIZE)
            os.pwrite(descriptor, MAGIC, 0)
        finally:
            os.close(descriptor)
        fresh.rename(path)
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
                record.clear()
                record.used = 1
                self.header.rows = max(self.header.rows, slot + 1)
                return record
        raise ScoreboardError("every record is taken by a dead child that waits to be settled")

    def bulletin(self, name: str) -> Bulletin:
        return Bulletin(self._memory, _BULLETINS_AT + BULLETINS.index(name) * BULLETIN_SIZE)
