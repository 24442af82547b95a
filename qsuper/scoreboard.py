"""The scoreboard: an mmaped file in which the processes of one node say what they do.

One record per *incarnation* of a child, in three parts with one writer each: the master's (who
it is, how it ended), the settler's (one mark), and the child's own (what it does, which jobs it
holds, how far it is). Whoever is killed leaves a record that can still be read; it stays until a
living child has settled what it held. The file outlives the master, so that the next one can.

Torn reads: every number is one aligned 64-bit store. Texts and bulletins are guarded by a
sequence number that is odd while they are written.
"""

import mmap
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from qsuper.errors import ScoreboardError

MAGIC = b"QSUPER01"
SLOTS = 1024
"""Records: the most children one node can have, dead and not yet settled ones included."""
BATCH_MOST = 512
"""The most jobs one claim may take: a record has room for that many ids."""
QUEUES_MOST = 64

_HEADER = 4096
_QUEUE = 256
_RECORD = 8192
_BULLETIN = 256 * 1024
_QUEUES_AT = _HEADER
_RECORDS_AT = _QUEUES_AT + QUEUES_MOST * _QUEUE
_BULLETINS_AT = _RECORDS_AT + SLOTS * _RECORD
_LIMITS_AT = 3072
_IDS_AT = 4096
_CURSOR_AT, _BEGAN_AT = 1040, 1048
_CURSOR_WORD, _BEGAN_WORD = _CURSOR_AT // 8, _BEGAN_AT // 8
BULLETINS = ("master", "keeper")
SIZE = _BULLETINS_AT + len(BULLETINS) * _BULLETIN


def clock() -> float:
    """Seconds on the clock that all processes of a host share and that counts while it sleeps.

    A lease must run out while a laptop or a virtual machine is suspended: the database's clock
    does not stop. CLOCK_MONOTONIC would.
    """
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class _Int:
    """A 64-bit integer at a byte offset of its owner."""

    def __init__(self, offset: int) -> None:
        self._word = offset // 8

    def __get__(self, owner: "_Part", kind: type) -> int:
        return int(owner.ints[owner.word + self._word])

    def __set__(self, owner: "_Part", value: int) -> None:
        owner.ints[owner.word + self._word] = value


class _Float:
    """A double at a byte offset of its owner."""

    def __init__(self, offset: int) -> None:
        self._word = offset // 8

    def __get__(self, owner: "_Part", kind: type) -> float:
        return float(owner.floats[owner.word + self._word])

    def __set__(self, owner: "_Part", value: float) -> None:
        owner.floats[owner.word + self._word] = value


class _Text:
    """UTF-8 at a byte offset of its owner, cut to its size, padded with NUL."""

    def __init__(self, offset: int, size: int) -> None:
        self._offset, self._size = offset, size

    def __get__(self, owner: "_Part", kind: type) -> str:
        start = owner.start + self._offset
        raw = bytes(owner.bytes[start : start + self._size])
        return raw.partition(b"\0")[0].decode("utf-8", "replace")

    def __set__(self, owner: "_Part", value: str) -> None:
        start = owner.start + self._offset
        raw = value.encode("utf-8", "replace")[: self._size]
        owner.bytes[start : start + self._size] = raw.ljust(self._size, b"\0")


class _Memory:
    """The file as bytes, as integers, as doubles."""

    __slots__ = ("bytes", "floats", "ints", "shorts")

    def __init__(self, mapped: mmap.mmap) -> None:
        self.bytes = memoryview(mapped)
        self.ints = self.bytes.cast("q")
        self.floats = self.bytes.cast("d")
        self.shorts = self.bytes.cast("H")


class _Part:
    """A stretch of the file that starts at `start` bytes."""

    __slots__ = ("bytes", "floats", "ints", "start", "word")

    def __init__(self, memory: _Memory, start: int) -> None:
        self.bytes = memory.bytes
        self.ints = memory.ints
        self.floats = memory.floats
        self.start = start
        self.word = start // 8


class Header(_Part):
    """What holds for the whole node. Written by the master but where said otherwise."""

    master_pid = _Int(8)
    master_ticks = _Int(16)
    """Start time of the master in clock ticks since boot: pid and this name one process."""
    started = _Float(24)
    """Unix time."""
    nonce = _Text(32, 32)
    node = _Text(64, 64)
    boot_id = _Text(128, 64)
    lease = _Float(192)
    """Seconds a lease lasts."""
    renewed = _Float(200)
    """`clock()` just before the last successful renewal was sent; by any child that beats."""
    alone = _Int(208)
    """1 when no other node was alive at the last renewal; by any child that beats."""
    paused = _Int(216)
    """1 while this node begins nothing."""
    stopping = _Int(224)
    queues = _Int(232)
    """How many queue records are in use."""
    rows = _Int(240)
    """How many child records have ever been in use: readers look no further."""
    looked = _Float(248)
    """`clock()` of the scheduler's last look: while it is fresh, workers need not look."""


class QueueRecord(_Part):
    """One queue of this node."""

    name = _Text(0, 64)
    wanted = _Int(64)
    """Workers the master wants; by the master."""
    first = _Int(72)
    """The first slice index of this node; by the scheduler."""
    total = _Int(80)
    """Workers of this queue over all live nodes; by the scheduler."""
    paused = _Int(88)
    """1 while the queue is paused on every node; by the scheduler."""
    wake_read = _Int(96)
    """Read end of the wake pipe, as inherited over the fork; by the master."""
    wake_write = _Int(104)
    ready_seen = _Int(112)
    """Ready rows at the scheduler's last look, counted up to its cap; by the scheduler."""


class Record(_Part):
    """One incarnation of a child."""

    __slots__ = ("_shorts", "slot")

    # The master's part.
    used = _Int(0)
    pid = _Int(8)
    ticks = _Int(16)
    role = _Text(24, 24)
    queue = _Int(48)
    """Index of its queue record, or -1."""
    number = _Int(56)
    """The place it fills: 3 in `default[3]`."""
    ordinal = _Int(64)
    """Its place among the living workers of its queue on this node, counted from 0."""
    spawned = _Float(72)
    """`clock()` of the fork."""
    ended = _Int(80)
    status = _Int(88)
    """Wait status as of `os.waitpid`, once `ended`."""
    reason = _Text(96, 160)
    """Why the master ended it: one of `REASONS`, or empty when it ended by itself."""
    order = _Int(256)
    """What the master wants of it: 0 go on, 1 drain, 2 stop at once."""
    worker = _Text(264, 64)
    """The incarnation's name in the `worker` column, unique for ever."""

    # The settler's part.
    settled = _Int(512)

    # The child's part.
    sequence = _Int(1024)
    phase = _Int(1032)
    """Index into `PHASES`."""
    cursor = _Int(_CURSOR_AT)
    """2 × the jobs of the batch whose code has returned, + 1 while the next one's runs: one store
    before the code runs decides who pays for a death."""
    began = _Float(_BEGAN_AT)
    """`clock()` at which the job in flight began."""
    timeout = _Float(1056)
    """Seconds it may take; 0 means no limit."""
    batch = _Int(1064)
    """Jobs in `ids`."""
    done = _Int(1072)
    failed = _Int(1080)
    conflicts = _Int(1088)
    """Rows that another worker took between look and claim."""
    helps = _Int(1096)
    """Jobs taken from other slices."""
    fenced = _Int(1104)
    """Acks refused because the claim was no longer this worker's."""
    beat = _Float(1112)
    """`clock()` of its last round."""
    attempt = _Int(1120)
    task = _Text(1152, 192)
    trouble = _Text(1344, 320)
    """What is wrong, in a sentence; empty when nothing is."""
    trouble_since = _Float(1664)

    def __init__(self, memory: _Memory, slot: int) -> None:
        super().__init__(memory, _RECORDS_AT + slot * _RECORD)
        self._shorts = memory.shorts
        self.slot = slot

    def clear(self) -> None:
        """Make the record a fresh one. The master's, before it forks."""
        self.bytes[self.start : self.start + _IDS_AT] = bytes(_IDS_AT)
        self.queue = -1

    def hold(self, ids: Sequence[int], limits: Sequence[int] = ()) -> None:
        """Note the jobs of a batch in the order in which they will run, and the attempts each
        may have (0: unknown). The child's, before it begins any."""
        self.cursor = 0
        first = self.word + _IDS_AT // 8
        for place, job_id in enumerate(ids, first):
            self.ints[place] = job_id
        short = (self.start + _LIMITS_AT) // 2
        for place, limit in enumerate(limits or [0] * len(ids), short):
            self._shorts[place] = min(limit, 0xFFFF)
        self.batch = len(ids)

    def begin(self, position: int, now: float) -> None:
        """The job at `position` of the batch begins: from here on its attempt counts."""
        self.floats[self.word + _BEGAN_WORD] = now
        self.ints[self.word + _CURSOR_WORD] = 2 * position + 1

    def finish(self, position: int) -> None:
        """Its code has returned, its ack has yet to be written."""
        self.ints[self.word + _CURSOR_WORD] = 2 * position + 2

    @property
    def ids(self) -> list[int]:
        first = self.word + _IDS_AT // 8
        return self.ints[first : first + min(self.batch, BATCH_MOST)].tolist()

    @property
    def limits(self) -> dict[int, int]:
        """max_attempts by job, as the child knew them."""
        short = (self.start + _LIMITS_AT) // 2
        ids = self.ids
        return dict(zip(ids, self._shorts[short : short + len(ids)].tolist(), strict=True))

    @property
    def in_flight(self) -> int | None:
        """Id of the job whose code runs now (or ran, when the child was killed)."""
        begun, running = divmod(self.cursor, 2)
        return self.ids[begun] if running and begun < self.batch else None

    @property
    def begun(self) -> frozenset[int]:
        """Ids whose code has begun, the one in flight included."""
        return frozenset(self.ids[: (self.cursor + 1) // 2])

    def describe(self, *, phase: str | None = None, task: str | None = None) -> None:
        """Say what the child does. The child's."""
        self.sequence += 1
        if phase is not None:
            self.phase = PHASES.index(phase)
        if task is not None:
            self.task = task
        self.sequence += 1

    def complain(self, trouble: str) -> None:
        """Say what is wrong, or take it back with an empty text. The child's."""
        if trouble == self.trouble:
            return
        self.sequence += 1
        self.trouble = trouble
        self.trouble_since = time.time() if trouble else 0.0
        self.sequence += 1

    def snapshot(self) -> "Child":
        """A consistent copy; after a hundred torn tries, what there is."""
        for _ in range(100):
            before = self.sequence
            child = Child(**{name: getattr(self, name) for name in Child.__struct_fields__})
            if before % 2 == 0 and self.sequence == before:
                break
        return child


PHASES = ("booting", "idle", "busy", "waiting", "paused", "draining")
REASON_TIMEOUT = "time-out"
REASON_STOP = "stop"
REASON_LEASE = "lease"
REASON_CANCEL = "cancel"
REASON_LEFTOVER = "master died"
REASONS = (REASON_TIMEOUT, REASON_STOP, REASON_LEASE, REASON_CANCEL, REASON_LEFTOVER)


class Child(msgspec.Struct, frozen=True):
    """A copy of a record, for those who only look."""

    slot: int
    pid: int
    ticks: int
    role: str
    queue: int
    number: int
    ordinal: int
    spawned: float
    ended: int
    status: int
    reason: str
    order: int
    worker: str
    settled: int
    phase: int
    cursor: int
    began: float
    timeout: float
    batch: int
    done: int
    failed: int
    conflicts: int
    helps: int
    fenced: int
    beat: float
    attempt: int
    task: str
    trouble: str
    trouble_since: float
    in_flight: int | None


class Bulletin(_Part):
    """A JSON text that one process posts and others read."""

    sequence = _Int(0)
    length = _Int(8)

    def post(self, value: Any) -> None:
        """Replace the text. A value too long for the board is refused whole."""
        raw = msgspec.json.encode(value)
        if len(raw) > _BULLETIN - 16:
            raise ScoreboardError(f"a bulletin of {len(raw)} bytes does not fit the scoreboard")
        self.sequence |= 1
        start = self.start + 16
        self.bytes[start : start + len(raw)] = raw
        self.length = len(raw)
        self.sequence += 1

    def read(self) -> Any:
        """What was posted last, or None."""
        for _ in range(100):
            before = self.sequence
            start = self.start + 16
            raw = bytes(self.bytes[start : start + self.length])
            if before % 2 == 0 and self.sequence == before:
                return msgspec.json.decode(raw) if raw else None
            time.sleep(0.001)
        return None


class Scoreboard:
    """The file, mapped."""

    def __init__(self, mapped: mmap.mmap) -> None:
        self._memory = _Memory(mapped)
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
            os.ftruncate(descriptor, SIZE)
            os.pwrite(descriptor, MAGIC, 0)
        finally:
            os.close(descriptor)
        fresh.rename(path)
        return cls.open(path, write=True)

    def queue(self, index: int) -> QueueRecord:
        return QueueRecord(self._memory, _QUEUES_AT + index * _QUEUE)

    def queues(self) -> Iterator[QueueRecord]:
        return (self.queue(index) for index in range(self.header.queues))

    def record(self, slot: int) -> Record:
        return Record(self._memory, slot)

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
        return Bulletin(self._memory, _BULLETINS_AT + BULLETINS.index(name) * _BULLETIN)
