"""What `qsuper check` looks at."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from qsuper.cli.check_programs import programs
from qsuper.cli.check_redis import redis
from qsuper.cli.settings import connected, naming, open_database
from qsuper.config import Config
from qsuper.config.loader import STANDARD_OUTPUT
from qsuper.errors import AppError, QsuperError
from qsuper.store import schema
from qsuper.tasks import application
from qsuper.tasks.registry import Registry
from qsuper.tasks.scheduled import sorted_out


def app(config: Config) -> Iterator[str]:
    """Imports the application and names its tasks."""
    registry = application.load(config)
    tasks = [task.name for task in registry if task.program is None]
    if config.app is None:
        there_are = len(registry) > 0 or config.scripts.dir is not None
        yield f"none configured (app), {'programs only' if there_are else 'no job can run'}"
        return
    if not tasks:
        raise QsuperError(f"{config.app} has no task; declare one with @queue.task")
    yield f"{config.app}: {', '.join(sorted(tasks))}"


def schedules(config: Config) -> Iterator[str]:
    """Names the schedules; raises `QsuperError` for those that cannot be."""
    registry = Registry()
    with suppress(AppError):  # said by the line about the application
        registry = application.load(config)
    found, refused = sorted_out(config, registry)
    if refused:
        raise QsuperError("\n".join(f"{one.name}: {one.reason}" for one in refused))
    if found:
        yield ", ".join(found)


def database(config: Config) -> Iterator[str]:
    """Connects, and looks at the version of the tables."""
    opened = open_database(config)
    where = opened.engine.url.render_as_string(hide_password=True)
    file = opened.engine.url.database
    if opened.backend.name == "sqlite" and file and not Path(file).exists():
        writable(Path(file).parent, "store.url")
        yield f"{where}: made at the first start"
        return
    with naming(opened), connected(opened) as connection:
        schema.check(connection)
    yield f"{where}: tables at {schema.VERSIONS[-1]}"


def state_dir(config: Config) -> Iterator[str]:
    """Whether locks, socket and scoreboard can be made."""
    yield writable(Path(config.state_dir), "state_dir")


def log_dir(config: Config) -> Iterator[str]:
    """Whether the day-file can be written."""
    if config.log.dir == STANDARD_OUTPUT:
        yield "standard output"
    else:
        yield writable(Path(config.log.dir), "[log] dir")


def writable(folder: Path, key: str) -> str:
    """Whether files can be made in the folder, or the folder itself; raises `QsuperError`."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise QsuperError(
            f"{there} cannot be written by this user; mend that, or name another {key}"
        )
    return str(folder) if there == folder else f"{folder}: made at the first start"


CHECKS: dict[str, Callable[[Config], Iterator[str]]] = {
    "app": app,
    "programs": programs,
    "schedules": schedules,
    "database": database,
    "redis": redis,
    "state_dir": state_dir,
    "log": log_dir,
}
"""By the word that begins its lines. Each yields what is well, or raises `QsuperError`."""
