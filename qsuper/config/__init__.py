"""The configuration: one frozen `Config`, built and validated once, handed down whole."""

from qsuper.config.loader import load
from qsuper.config.redact import redact_url
from qsuper.config.tables.alerts import AlertsConfig
from qsuper.config.tables.config import Config
from qsuper.config.tables.daemon import LogConfig, NodeConfig
from qsuper.config.tables.jobs import BackoffConfig, JobConfig, KeepDays
from qsuper.config.tables.makers import ScheduleConfig, WatchConfig
from qsuper.config.tables.queues import Autoscale, QueueConfig, WorkerConfig
from qsuper.config.tables.store import RedisConfig, StoreConfig
from qsuper.config.tables.tasks import ProgramConfig, RlimitConfig, ScriptsConfig, TaskConfig
from qsuper.config.tables.web import WebConfig

__all__ = [
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
    "TaskConfig",
    "WatchConfig",
    "WebConfig",
    "WorkerConfig",
    "load",
    "redact_url",
]
