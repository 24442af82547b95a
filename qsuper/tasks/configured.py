"""What `[tasks.NAME]` says goes over what the application says of its task."""

from dataclasses import replace
from typing import Any

from qsuper.config import Config, TaskConfig
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.registry import Registry, Task

_SAME = ("queue", "timeout", "max_attempts", "priority", "backoff", "max_age")
"""Settings that a task has under the same name."""


def apply(registry: Registry, config: Config) -> None:
    """Have every task of the registry run as the configuration wants it."""
    for task in list(registry):
        registry.replace(configured(task, config))


def configured(task: Task, config: Config) -> Task:
    """The task as the configuration wants it; itself where it wants nothing."""
    settings = config.tasks.get(task.name)
    changes = {} if settings is None else _changes(settings)
    return replace(task, **changes) if changes else task


def _changes(settings: TaskConfig) -> dict[str, Any]:
    given = {name: getattr(settings, name) for name in _SAME}
    changes = {name: value for name, value in given.items() if value is not None}
    if settings.codec is not None:
        changes["codec"] = CODECS[settings.codec]
    return changes
