"""What `[tasks.NAME]` says goes over what the application says of its task; and programs, which
only the configuration names.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qsuper.config import Config, TaskConfig
from qsuper.errors import AppError
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.limit import Limit
from qsuper.tasks.program import Program
from qsuper.tasks.programs.scripts import Scripts
from qsuper.tasks.registry import Registry, Task

_SAME = ("queue", "timeout", "max_attempts", "priority", "backoff", "max_age", "rate")
"""Settings that a task has under the same name."""


def apply(registry: Registry, config: Config) -> None:
    """Have every task of the registry run as the configuration wants it, and its programs, too.

    Raises `AppError` for a program whose name is that of a task of the application.
    """
    for name, settings in config.tasks.items():
        if settings.program is not None:
            known = registry.get(name)
            if known is not None and known.program is None:
                raise AppError(
                    f"[tasks.{name}] program: the application has a task {name!r}, too; rename one"
                )
            registry.replace(_program(name, settings.program, settings, config))
    for task in list(registry):
        registry.replace(configured(task, config))
    registry.elsewhere = _scripts(config)


def configured(task: Task, config: Config) -> Task:
    """The task as the configuration wants it; itself where it wants nothing."""
    settings = config.tasks.get(task.name)
    changes = {} if settings is None else _changes(settings)
    if settings is not None and (limit := _limit(task, settings)) != task.limit:
        changes["limit"] = limit
    return replace(task, **changes) if changes else task


def _limit(task: Task, settings: TaskConfig) -> Limit | None:
    """Its limit, of which the configuration may give both parts, or one."""
    own = task.limit
    most = settings.limit if own is None else settings.limit or own.most
    by = settings.limit_by if own is None else settings.limit_by or own.by
    if most is None:
        if by is not None:
            raise AppError(f"[tasks.{task.name}] limit_by wants a limit: write limit = 3")
        return None
    if by is not None and not task.takes(by):
        raise AppError(f"[tasks.{task.name}] limit_by = {by!r}: the task has no such argument")
    return Limit(most, by)


def _program(name: str, argv: tuple[str, ...], settings: TaskConfig, config: Config) -> Task:
    program = Program(argv, settings.cwd, settings)
    return Task(name, program.takes, backoff=config.job.backoff, program=program)


def _scripts(config: Config) -> Callable[[str], Task | None] | None:
    if config.scripts.dir is None:
        return None
    scripts = Scripts(config.scripts.dir, config.scripts, config.job.backoff)

    def find(name: str) -> Task | None:
        task = scripts.find(name)
        return None if task is None else configured(task, config)

    return find


def _changes(settings: TaskConfig) -> dict[str, Any]:
    given = {name: getattr(settings, name) for name in _SAME}
    changes = {name: value for name, value in given.items() if value is not None}
    if settings.codec is not None:
        changes["codec"] = CODECS[settings.codec]
    return changes
