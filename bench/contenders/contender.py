"""What a queue is to the benchmark: a module that declares the job, and a command that works."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where one contender runs once: everything in it is new and its own."""

    folder: Path
    environ: dict[str, str]
    """What its processes see: BENCH_MYSQL, BENCH_REDIS, BENCH_SQLITE, BENCH_JOURNAL."""
    workers: int


def nothing(_place: Place) -> None:
    """Most need no preparation."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One queue at its documented best settings.

    Its `module` is imported in its own environment, by its workers and by the producer. It has

        add(number: int) -> None                    enqueue one job
        add_many(numbers: Sequence[int]) -> None    in bulk; absent where the queue has none

    and a task that calls `bench.contenders.job.job(number)`, which is the whole job.
    """

    name: str
    module: str
    words: Callable[[int], list[str]]
    """The workers' command with so many worker processes; the first word lies in the bin folder
    of its environment."""
    store: str
    """MariaDB, Redis or SQLite."""
    settings: str
    """What is set and why, in a line."""
    recovery: str
    """What its documentation says of a job whose worker is killed, in a line."""
    jobs: int
    """Of one drain: at least five seconds of work, or 200,000."""
    first: int = 0
    """The number of its first job."""
    ours: bool = False
    """Runs in qsuper's environment, else in the peers'."""
    environ: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Place], None] = nothing
    """Called once before anything of it runs: tables, configuration files."""
