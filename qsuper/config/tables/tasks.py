"""Programs that are tasks, and settings for tasks of the application."""

from qsuper.config import kinds
from qsuper.config.tables.jobs import BackoffConfig
from qsuper.config.tables.table import Table


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
