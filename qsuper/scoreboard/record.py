"""One incarnation of a child: who it is, what it holds, how far it is."""

import time
from collections.abc import Sequence

from qsuper.scoreboard.fields import Float, Int, Memory, Part, Text
from qsuper.scoreboard.snapshot import Child

BATCH_MOST = 512
"""The most jobs one claim may take: a record has room for that many ids."""
RECORD_SIZE = 8192
_LIMITS_AT = 3072
_IDS_AT = 4096
_CURSOR_AT, _BEGAN_AT = 1040, 1048
_CURSOR_WORD, _BEGAN_WORD = _CURSOR_AT // 8, _BEGAN_AT // 8

PHASES = ("booting", "idle", "busy", "waiting", "paused", "draining")
AWAY = ("", "database", "redis")
"""What may be away."""
REASON_TIMEOUT = "time-out"
REASON_STOP = "stop"
REASON_LEASE = "lease"
REASON_CANCEL = "cancel"
REASON_LEFTOVER = "master died"
REASONS = (REASON_TIMEOUT, REASON_STOP, REASON_LEASE, REASON_CANCEL, REASON_LEFTOVER)


class Record(Part):
    """One incarnation of a child."""

    __slots__ = ("_shorts", "slot")

    # The master's part.
    used = Int(0)
    pid = Int(8)
    ticks = Int(16)
    role = Text(24, 24)
    queue = Int(48)
    """Index of its queue record, or -1."""
    number = Int(56)
    """The place it fills: 3 in `default[3]`."""
    ordinal = Int(64)
    """Its place among the living workers of its queue on this node, counted from 0."""
    spawned = Float(72)
    """`clock()` of the fork."""
    ended = Int(80)
    status = Int(88)
    """Wait status as of `os.waitpid`, once `ended`."""
    reason = Text(96, 160)
    """Why the master ended it: one of `REASONS`, or empty when it ended by itself."""
    order = Int(256)
    """What the master wants of it: 0 go on, 1 drain, 2 stop at once."""
    worker = Text(264, 64)
    """The incarnation's name in the `worker` column, unique for ever."""

    # The settler's part.
    settled = Int(512)
    cancel = Int(520)
    """Id of the job that somebody wants ended, 0 for none; by the scheduler."""
    cancel_claims = Int(528)
    """And its fence: a later claim of that job is none of the canceller's business."""

    # The child's part.
    sequence = Int(1024)
    phase = Int(1032)
    """Index into `PHASES`."""
    cursor = Int(_CURSOR_AT)
    """2 × the jobs of the batch whose code has returned, + 1 while the next one's runs: one store
    before the code runs decides who pays for a death."""
    began = Float(_BEGAN_AT)
    """`clock()` at which the job in flight began."""
    timeout = Float(1056)
    """Seconds it may take; 0 means no limit."""
    batch = Int(1064)
    """Jobs in `ids`."""
    done = Int(1072)
    failed = Int(1080)
    conflicts = Int(1088)
    """Rows that another worker took between look and claim."""
    helps = Int(1096)
    """Jobs taken from other slices."""
    fenced = Int(1104)
    """Acks refused because the claim was no longer this worker's."""
    beat = Float(1112)
    """`clock()` of its last round."""
    attempt = Int(1120)
    claims = Int(1128)
    """Fence of the job in flight."""
    task = Text(1152, 192)
    trouble = Text(1344, 320)
    """What is wrong, in a sentence; empty when nothing is."""
    trouble_since = Float(1664)
    progress = Float(1672)
    """How far the job in flight says it is, from 0 to 1; below 0 it has said nothing."""
    progress_text = Text(1680, 128)
    away = Int(1808)
    """Index into `AWAY`: what its trouble is the absence of."""

    def __init__(self, memory: Memory, start: int, slot: int) -> None:
        super().__init__(memory, start)
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
    def unwanted(self) -> bool:
        """Whether somebody wants the job in flight ended."""
        return (
            self.cancel != 0 and self.cancel == self.in_flight and self.cancel_claims == self.claims
        )

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

    def report(self, progress: float, text: str = "") -> None:
        """Say how far the job in flight is. The child's."""
        self.sequence += 1
        self.progress = progress
        self.progress_text = text
        self.sequence += 1

    def complain(self, trouble: str, away: str = "") -> None:
        """Say what is wrong, or take it back with an empty text; `away` is one of `AWAY`. The
        child's."""
        if trouble == self.trouble:
            return
        self.sequence += 1
        self.trouble = trouble
        self.away = AWAY.index(away)
        self.trouble_since = time.time() if trouble else 0.0
        self.sequence += 1

    def snapshot(self) -> Child:
        """A consistent copy; after a hundred torn tries, what there is."""
        for _ in range(100):
            before = self.sequence
            child = Child(**{name: getattr(self, name) for name in Child.__struct_fields__})
            if before % 2 == 0 and self.sequence == before:
                break
        return child
