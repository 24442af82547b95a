"""The tables of `qsuper.toml`: every key, what it means, its unit and its default."""

from qsuper.config.tables.alerts import AlertsConfig
from qsuper.config.tables.config import Config
from qsuper.config.tables.daemon import LogConfig, NodeConfig
from qsuper.config.tables.jobs import BackoffConfig, JobConfig, KeepDays
from qsuper.config.tables.makers import ScheduleConfig, WatchConfig
from qsuper.config.tables.queues import (
    QUEUES_MOST,
    WORKERS_MOST,
    Autoscale,
    QueueConfig,
    WorkerConfig,
)
from qsuper.config.tables.store import RedisConfig, StoreConfig
from qsuper.config.tables.table import Table
from qsuper.config.tables.tasks import ProgramConfig, RlimitConfig, ScriptsConfig, TaskConfig
from qsuper.config.tables.web import WebConfig

__all__ = [
    "QUEUES_MOST",
    "WORKERS_MOST",
    "AlertsConfig",
    "Autoscale",
    "BackoffConfig",
    "Config",
    "JobConfig",
    "KeepDays",
    "LogConfig",
    "NodeConfig",
    "ProgramConfig",
    "QueueConfig",
    "RedisConfig",
    "RlimitConfig",
    "ScheduleConfig",
    "ScriptsConfig",
    "StoreConfig",
    "Table",
    "TaskConfig",
    "WatchConfig",
    "WebConfig",
    "WorkerConfig",
]
