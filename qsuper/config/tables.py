"""The tables of `qsuper.toml`: every key, what it means, its unit and its default."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct, ValidationError, convert, field, to_builtins
from msgspec.structs import force_setattr

from qsuper.config import kinds
from qsuper.config.redact import redact_url

QUEUES_MOST = 64
WORKERS_MOST = 500


_KEEP_DAYS = Meta(description="whole days from 0 to 36500, or { done = 7, dead = 90 }")
_WATCHES = Meta(description="tables that begin with [[watch]]")
_SCHEDULES = Meta(description="tables that begin with [[schedule]]")


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; `ValueError` when its values contradict each other."""

    derived: ClassVar[Mapping[str, str]] = {}
    """Fields that the file cannot set, each with the key it is worked out from."""

    @classmethod
    def spread(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values as written, with short spellings written out."""
        return values


class StoreConfig(Table, frozen=True):
    """`[store]`: the database that holds the jobs."""

    url: kinds.StoreUrl = "sqlite:///var/qsuper.db"
    """SQLAlchemy URL; without it a SQLite file `qsuper.db` in `state_dir`."""
    connect_timeout: kinds.UpToAnHour = 5.0
    """Seconds to wait for a connection."""
    read_timeout: kinds.UpToAnHour = 30.0
    """Seconds to wait for the answer to one statement."""

    def __repr__(self) -> str:
        return f"StoreConfig(url={redact_url(self.url)!r})"


class RedisConfig(Table, frozen=True):
    """`[redis]`: where watched keys live; without it there is no listener."""

    url: kinds.RedisUrl | None = None
    """URL of Redis or Valkey with its database number, `embedded`, or none."""

    def __repr__(self) -> str:
        return f"RedisConfig(url={None if self.url is None else redact_url(self.url)!r})"


class Autoscale(Table, frozen=True):
    """The bounds between which a queue's workers follow its backlog."""

    min: kinds.WorkerCount
    """Fewest workers."""
    max: kinds.WorkerCount
    """Most workers."""

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


class BackoffConfig(Table, frozen=True):
    """`[job.backoff]`: the wait before a failed job's next attempt."""

    base: kinds.Wait = 5.0
    """Seconds before the second attempt; each further wait is longer."""
    cap: kinds.Delay = 3600.0
    """Longest wait in seconds."""

    def __post_init__(self) -> None:
        if self.base > self.cap:
            raise ValueError(
                f"base = {self.base:g} s is above cap = {self.cap:g} s; raise cap or lower base"
            )


class KeepDays(Table, frozen=True):
    """`[job.keep_days]`: how long finished jobs stay in the table; a bare number sets all three."""

    done: kinds.Days = 7
    """Days a job that succeeded stays."""
    dead: kinds.Days = 90
    """Days a job whose attempts are used up stays."""
    cancelled: kinds.Days = 7
    """Days a cancelled job stays."""


class JobConfig(Table, frozen=True):
    """`[job]`: what holds for every job unless its task or its row says otherwise."""

    timeout: kinds.Seconds = 3600.0
    """Seconds a job may run; 0 = as long as it likes."""
    max_attempts: kinds.Attempts = 5
    """Attempts after which a failing job is dead."""
    backoff: BackoffConfig = BackoffConfig()
    """The wait before the next attempt."""
    keep_days: Annotated[KeepDays, _KEEP_DAYS] = KeepDays()
    """How long finished jobs stay."""
    max_param_bytes: kinds.ParamLimit = 4 * kinds.MIB
    """Largest param in bytes that is accepted."""

    @classmethod
    def spread(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            days = convert(values.get("keep_days"), kinds.Days, strict=False)
        except ValidationError:
            return values
        return {**values, "keep_days": dict.fromkeys(KeepDays.__struct_fields__, days)}


class LogConfig(Table, frozen=True):
    """`[log]`: one file a day for all processes."""

    dir: kinds.FilePath = "var/log"
    """Folder of the day-files; `-` writes to standard output instead."""
    keep_days: kinds.Days = 14
    """Days after which a day-file is removed; 0 keeps today's only."""
    format: kinds.LogFormat = "text"
    """`text` for people, `json` for machines."""
    level: kinds.LogLevel = "info"
    """Least urgent level that is written."""


class WebConfig(Table, frozen=True):
    """`[web]`: the dashboard; without `listen` there is none."""

    listen: kinds.Listen | None = None
    """`host:port` to listen on, or none."""

    def __post_init__(self) -> None:
        if self.listen is not None and int(self.listen.rpartition(":")[2]) > 65535:
            raise ValueError(f"listen = {self.listen!r}: a port is at most 65535")


class NodeConfig(Table, frozen=True):
    """`[node]`: this master among others that work on the same database."""

    name: kinds.NodeName = field(default_factory=lambda: os.uname().nodename)
    """For people; without it the host's name."""
    lease: kinds.UpToAnHour = 30.0
    """Seconds after which a silent node counts as lost."""
    alone_grace: kinds.SomeSeconds = 600.0
    """Seconds after which others rescue the jobs of a lost node that was alone."""


class RlimitConfig(Table, frozen=True):
    """`rlimits`: what the kernel refuses each process of a program; without a key nothing."""

    memory: kinds.SizeLimit | None = None
    """Bytes of address space."""
    cpu: kinds.TimeLimit | None = None
    """Seconds of processor time."""
    files: kinds.CountLimit | None = None
    """Open files."""
    processes: kinds.CountLimit | None = None
    """Processes of its user, whoever started them; the kernel does not hold root to it."""
    file_size: kinds.SizeLimit | None = None
    """Bytes of the largest file it may write."""


class ProgramConfig(Table, frozen=True):
    """How a program is run: a part of `[tasks.NAME]` and of `[scripts]`."""

    param: kinds.Way = "argument"
    """How a program gets the job's param: as its last argument, or on its standard input."""
    env: kinds.Environment = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR")
    """What a program's environment has of the daemon's, by name or beginning; or `NAME=value`."""
    rlimits: RlimitConfig = RlimitConfig()
    """What the kernel refuses it."""


PROGRAM_KEYS = ProgramConfig.__struct_fields__


class ScriptsConfig(ProgramConfig, frozen=True):
    """`[scripts]`: a folder of programs whose paths in it are names of tasks."""

    dir: kinds.FilePath | None = None
    """The folder, in which they run, too; without it there are none."""
    interpreters: kinds.Interpreters = {}
    """What runs them, by the end of their names; another end is no task."""
    codec: kinds.Codec = "json"
    """How their params are written."""

    def __post_init__(self) -> None:
        if self.dir is not None and not self.interpreters:
            raise ValueError('interpreters is missing; write { ".php" = ["php"] } or the like')


class TaskConfig(ProgramConfig, frozen=True):
    """`[tasks.NAME]`: a program that is a task, or settings for a task of the application."""

    program: kinds.Program | None = None
    """The program and its arguments; the job's param follows as the last one."""
    cwd: kinds.FilePath = "."
    """Folder the program runs in."""
    queue: kinds.QueueName | None = None
    """Queue its jobs are added to when the caller names none."""
    codec: kinds.Codec | None = None
    """How param is written; without it as the task says, else `json`."""
    timeout: kinds.Seconds | None = None
    """Seconds a job may run; without it as `[job]` says, 0 = as long as it likes."""
    max_attempts: kinds.Attempts | None = None
    """Attempts after which a failing job is dead; without it as `[job]` says."""
    priority: kinds.Priority | None = None
    """Smaller runs first; without it 0."""
    backoff: BackoffConfig | None = None
    """The wait before a failed job's next attempt; without it as `[job]` says."""
    max_age: kinds.SomeSeconds | None = None
    """Seconds a job may wait beyond its time before it is discarded; without it for ever."""
    limit: kinds.Limit | None = None
    """Jobs of the task that may run at once on all nodes; without it as the task says."""
    limit_by: kinds.SomeText | None = None
    """Argument for each value of which so many may run, not for the task as a whole."""
    rate: kinds.Rate | None = None
    """Jobs of the task that may start in a second on all nodes; without it as the task says."""

    def __post_init__(self) -> None:
        if self.program is None:
            plain = ProgramConfig()
            given = [name for name in PROGRAM_KEYS if getattr(self, name) != getattr(plain, name)]
            if given:
                raise ValueError(f"{', '.join(given)}: for programs only; write program = [...]")


class WatchConfig(Table, frozen=True):
    """`[[watch]]`: Redis keys whose expiry becomes a job."""

    pattern: kinds.SomeText
    """Glob pattern of the keys."""
    task: kinds.TaskName
    """Task of the job."""
    db: kinds.RedisDatabase | None = None
    """Number of the Redis database that holds the keys; without it that of `redis.url`."""


class ScheduleConfig(Table, frozen=True):
    """`[[schedule]]`: a cron line that becomes jobs."""

    cron: kinds.Cron
    """Cron expression of five fields."""
    task: kinds.TaskName
    """Task of the jobs."""
    name: kinds.ScheduleName | None = None
    """Its own among all schedules; without it the task's."""
    param: kinds.ScheduleParam | None = None
    """Param of the jobs: a table, or the text as the column holds it."""
    timezone: kinds.TimeZone = "UTC"
    """Time zone the expression is read in."""
    jitter: kinds.Wait = 0.0
    """Seconds by which a job may run later, by its due time's own share of that."""
    misfire: kinds.Misfire = "once"
    """What becomes of due times that were missed: one job for all, none, or one for each."""
    grace: kinds.Grace = kinds.GRACE
    """Seconds after which a due time counts as missed."""
    overlap: kinds.Overlap = "allow"
    """Whether a job is made while the last one still lives."""


class Config(Table, frozen=True):
    """The whole configuration. As `load` returns it, every path in it is absolute."""

    derived = {"file": "", "folder": ""}

    file: str | None = None
    """The file it was read from, if any."""
    folder: str = "."
    """What its relative paths were relative to."""
    app: kinds.AppPath | None = None
    """`module:attribute` that holds the Queue; imported in each child."""
    state_dir: kinds.FilePath = "var"
    """Folder of the locks, the scoreboard, the control socket and the SQLite file."""
    store: StoreConfig = StoreConfig()
    redis: RedisConfig = RedisConfig()
    queues: Mapping[kinds.QueueName, QueueConfig] = field(
        default_factory=lambda: {"default": QueueConfig()}
    )
    worker: WorkerConfig = WorkerConfig()
    job: JobConfig = JobConfig()
    log: LogConfig = LogConfig()
    web: WebConfig = WebConfig()
    node: NodeConfig = field(default_factory=NodeConfig)
    tasks: Mapping[kinds.TaskName, TaskConfig] = field(default_factory=dict)
    scripts: ScriptsConfig = ScriptsConfig()
    watch: Annotated[tuple[WatchConfig, ...], _WATCHES] = ()
    schedule: Annotated[tuple[ScheduleConfig, ...], _SCHEDULES] = ()

    def __post_init__(self) -> None:
        if len(self.queues) > QUEUES_MOST:
            raise ValueError(f"{len(self.queues)} queues are too many; have {QUEUES_MOST} at most")
        workers = sum(
            queue.autoscale.max if queue.autoscale else queue.workers
            for queue in self.queues.values()
        )
        if workers > WORKERS_MOST:
            raise ValueError(
                f"the queues have {workers} workers together; have {WORKERS_MOST} at most"
            )

    def describe(self) -> dict[str, Any]:
        """The configuration in force as plain data, passwords hidden."""
        shown: dict[str, Any] = to_builtins(self)
        for table in (shown["store"], shown["redis"]):
            if table["url"] is not None:
                table["url"] = redact_url(table["url"])
        return shown
