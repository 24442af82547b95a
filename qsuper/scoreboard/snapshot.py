"""A copy of a record, for those who only look."""

import msgspec


class Child(msgspec.Struct, frozen=True):
    """What the fields of `Record` held at one moment."""

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
    away: int
    progress: float
    progress_text: str
    in_flight: int | None
    unwanted: bool
