"""The queues of a node and their workers."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import force_setattr

from qsuper.config import kinds
from qsuper.config.tables.table import Table

QUEUES_MOST = 64
WORKERS_MOST = 500


class Autoscale(Table, frozen=True):
    """The bounds between which a queue's workers follow its backlog."""

    min: kinds.WorkerCount
    """Fewest workers."""
    max: kinds.WorkerCount
    """Most workers."""
    wait: kinds.SomeSeconds = 1.0
    """The wanted wait: once the oldest ready job has waited longer, workers are added."""
    cool_down: kinds.UpToAnHour = 30.0
    """Seconds of calm before workers are taken away, and between two such steps."""
    pressure: kinds.Percent = 40
    """Percent of the time in which something on the host waits for the processor, beyond which no
    worker is added; 100 = never held back."""

    def __post_init__(self) -> None:
        if self.min > self.max:
            raise ValueError(f"min = {self.min} is above max = {self.max}; swap them")


class QueueConfig(Table, frozen=True):
    """`[queues.NAME]`: a queue that this node works on."""

    derived = {"autoscale": "workers"}

    workers: kinds.QueueWorkers = 4
    """Workers at the start; the file may say `{ min = 2, max = 16 }` instead."""
    autoscale: Autoscale | None = None
    """Set when the file gave bounds instead of a number; `workers` is then its `min`."""

    @classmethod
    def spread(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        bounds = values.get("workers")
        if not isinstance(bounds, Mapping):
            return values
        rest = {key: value for key, value in values.items() if key != "workers"}
        return {**rest, "autoscale": bounds}

    def __post_init__(self) -> None:
        if self.autoscale is not None and self.workers != self.autoscale.min:
            force_setattr(self, "workers", self.autoscale.min)


class WorkerConfig(Table, frozen=True):
    """`[worker]`: when a worker makes room for a fresh one, and how much it takes at once."""

    max_jobs: kinds.JobCount = 0
    """Jobs after which a worker is replaced; 0 = never."""
    max_age: kinds.Seconds = 0.0
    """Seconds after which a worker is replaced; 0 = never."""
    max_memory: kinds.MemoryLimit = 0
    """Bytes of memory grown since its fork after which a worker is replaced; 0 = never."""
    stop_timeout: kinds.Wait = 30.0
    """Seconds a stopping worker has to finish its job before it is killed."""
    batch: kinds.Batch = 512
    """Most jobs a worker claims at once; 1 = one by one."""
