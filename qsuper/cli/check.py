"""`qsuper check`."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import click

from qsuper.cli.check_programs import programs
from qsuper.cli.check_redis import Note, redis
from qsuper.cli.settings import Settings, connected, naming, open_database, pass_settings
from qsuper.cli.status import look
from qsuper.config import Config
from qsuper.config.loader import STANDARD_OUTPUT
from qsuper.errors import AppError, ConfigError, QsuperError
from qsuper.store import schema
from qsuper.tasks import application
from qsuper.tasks.registry import Registry
from qsuper.tasks.scheduled import sorted_out


@click.command()
@click.option("--live", is_flag=True, help="Look at the running daemon, too.")
@pass_settings
def check(settings: Settings, live: bool) -> int:
    """Say whether all is in place: configuration, application, database, Redis, folders.

    One line each; nothing is started or made. Exit code 1 when something is wrong, with --live
    also when the daemon does not run or is degraded.
    """
    try:
        config = settings.config()
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"config    {problem}")
        return 1
    click.echo(f"config    ok: {config.file or 'defaults, there is no file'}")
    checks = {**CHECKS, "daemon": daemon} if live else CHECKS
    code = 0
    for name, judge in checks.items():
        try:
            for line in judge(config):
                click.echo(f"{name:<9} {'note' if isinstance(line, Note) else 'ok'}: {line}")
        except QsuperError as error:
            code = 1
            for line in str(error).splitlines():
                click.echo(f"{name:<9} {line}")
    return code


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


def daemon(config: Config) -> Iterator[str]:
    """Whether the daemon runs, and all is well with it; raises `QsuperError`."""
    picture = look(config)
    if picture.degraded:
        raise QsuperError("\n".join(picture.degraded))
    yield f"pid {picture.pid} runs, nothing is degraded"


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
