"""The configuration: one frozen `Config`, built and validated once, handed down whole."""

from qsuper.config.loader import load
from qsuper.config.redact import redact_url
from qsuper.config.tables import (
    AlertsConfig,
    Autoscale,
    BackoffConfig,
    Config,
    JobConfig,
    KeepDays,
    LogConfig,
    NodeConfig,
    ProgramConfig,
    QueueConfig,
    RedisConfig,
    RlimitConfig,
    ScheduleConfig,
    ScriptsConfig,
    StoreConfig,
    TaskConfig,
    WatchConfig,
    WebConfig,
    WorkerConfig,
)

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
