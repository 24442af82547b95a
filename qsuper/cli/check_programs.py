"""The line of `qsuper check` about programs."""

from collections.abc import Iterator
from contextlib import suppress

from qsuper.config import Config
from qsuper.errors import AppError, QsuperError
from qsuper.tasks import application
from qsuper.tasks.programs.mistakes import mistakes
from qsuper.tasks.registry import Registry


def programs(config: Config) -> Iterator[str]:
    """Whether what is configured as a program is there, and may be run; nothing is said where
    there are none."""
    registry = Registry()
    with suppress(AppError):  # said by the line about the application
        registry = application.load(config)
    if wrong := list(mistakes(registry, config)):
        raise QsuperError("\n".join(wrong))
    if names := sorted(task.name for task in registry if task.program is not None):
        yield ", ".join(names)
    if config.scripts.dir is not None:
        ends = ", ".join(config.scripts.interpreters)
        yield f"{ends} in {config.scripts.dir}"
