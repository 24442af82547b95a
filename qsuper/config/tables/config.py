"""The whole configuration."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, field, to_builtins

from qsuper.config import kinds
from qsuper.config.redact import redact_url
from qsuper.config.tables.alerts import AlertsConfig
from qsuper.config.tables.daemon import LogConfig, NodeConfig
from qsuper.config.tables.jobs import JobConfig
from qsuper.config.tables.makers import ScheduleConfig, WatchConfig
from qsuper.config.tables.queues import QUEUES_MOST, WORKERS_MOST, QueueConfig, WorkerConfig
from qsuper.config.tables.store import RedisConfig, StoreConfig
from qsuper.config.tables.table import Table
from qsuper.config.tables.tasks import ScriptsConfig, TaskConfig
from qsuper.config.tables.web import WebConfig

_WATCHES = Meta(description="tables that begin with [[watch]]")
_SCHEDULES = Meta(description="tables that begin with [[schedule]]")


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
    user: kinds.AccountName | None = None
    """Who the daemon becomes when root starts it; without it it stays who started it."""
    group: kinds.AccountName | None = None
    """Its group then; without it that of the user."""
    store: StoreConfig = StoreConfig()
    redis: RedisConfig = RedisConfig()
    queues: Mapping[kinds.QueueName, QueueConfig] = field(
        default_factory=lambda: {"default": QueueConfig()}
    )
    worker: WorkerConfig = WorkerConfig()
    job: JobConfig = JobConfig()
    log: LogConfig = LogConfig()
    web: WebConfig = WebConfig()
    alerts: AlertsConfig = AlertsConfig()
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
        for table, key in (("store", "url"), ("redis", "url"), ("alerts", "webhook")):
            if shown[table][key] is not None:
                shown[table][key] = redact_url(shown[table][key])
        if self.web.token is not None:
            shown["web"]["token"] = "***"
        return shown
