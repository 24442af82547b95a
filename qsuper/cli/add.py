"""`qsuper add`."""

import difflib
from typing import IO, cast

import click

from qsuper.cli.parameters import queue_name, seconds, some_text, task_name
from qsuper.cli.printing import to_json
from qsuper.cli.settings import Settings, pass_settings
from qsuper.client import Options, Queue
from qsuper.config import Config
from qsuper.errors import AppError, ParamError
from qsuper.job import PRIORITY_LEAST, PRIORITY_MOST
from qsuper.tasks import application
from qsuper.tasks.codecs import CODECS


@click.command()
@click.argument("task", type=task_name, metavar="TASK")
@click.argument("param", required=False)
@click.option(
    "--param-file",
    type=click.File("rb"),
    metavar="FILE",
    help="Read PARAM from a file, or with - from standard input.",
)
@click.option("--queue", type=queue_name, metavar="QUEUE", help="Without it as the task says.")
@click.option(
    "--priority",
    type=click.IntRange(PRIORITY_LEAST, PRIORITY_MOST),
    help="Smaller runs first, negative is urgent; without it as the task says.",
)
@click.option(
    "--delay", type=seconds, metavar="TIME", help="Not before so long from now: 90s, 15m, 2d."
)
@click.option("--name", type=some_text, metavar="NAME", help="Unique among live jobs.")
@click.option(
    "--on-conflict",
    type=click.Choice(["keep", "replace", "move"]),
    help="What becomes of a live job of this name: it is kept and nothing is added (the default),"
    " it is cancelled if it waits, or it is moved to be as this one.",
)
@click.option("--max-attempts", type=click.IntRange(1, 1000))
@click.option(
    "--timeout", type=seconds, metavar="TIME", help="How long it may run; 0 is as long as it likes."
)
@click.option(
    "--max-age", type=seconds, metavar="TIME", help="Discard it if it has to wait longer than so."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the bare id.")
@pass_settings
def add(
    settings: Settings,
    task: str,
    param: str | None,
    param_file: IO[bytes] | None,
    queue: str | None,
    priority: int | None,
    delay: float | None,
    name: str | None,
    on_conflict: str | None,
    max_attempts: int | None,
    timeout: float | None,
    max_age: float | None,
    as_json: bool,
) -> None:
    """Enqueue a job of TASK and print its id.

    PARAM is as the task reads it, JSON unless it says otherwise:

        qsuper add send_msg '{"uid": 4, "uids": [6, 234], "content": "hi"}'
    """
    if param is not None and param_file is not None:
        raise click.UsageError("PARAM and --param-file exclude each other")
    if on_conflict is not None and name is None:
        raise click.UsageError("--on-conflict is for a job that has a --name")
    if param_file is not None:
        param = _read(param_file)
    given = {
        "queue": queue,
        "priority": priority,
        "delay": delay,
        "name": name,
        "on_conflict": on_conflict,
        "max_attempts": max_attempts,
        "timeout": timeout,
        "max_age": max_age,
    }
    options = cast(Options, {key: value for key, value in given.items() if value is not None})
    settings.database()
    jobs = Queue(config=settings.config())
    learn_tasks(jobs, task)
    if jobs.registry.get(task) is None:
        check_unknown(task, param, jobs.config)
    job = jobs.add_raw(task, param, **options)
    click.echo(to_json({"id": job.id, "state": job.state.word}) if as_json else job.id)


def learn_tasks(jobs: Queue, task: str) -> None:
    """Have the application's tasks checked against their signatures.

    That the application is not there, or does not know the task, is said but no mistake: the
    job may be another program's.
    """
    try:
        jobs.learn(application.load(jobs.config))
    except AppError as error:
        click.echo(f"note: {error}", err=True)
        return
    names = [known.name for known in jobs.registry]
    if names and jobs.registry.get(task) is None:
        near = difflib.get_close_matches(task, names, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        where = jobs.config.app or "the configuration"
        click.echo(f"note: {where} has no task {task}{hint}", err=True)


def check_unknown(task: str, param: str | None, config: Config) -> None:
    """Raise `ParamError` unless the param can be read as the configuration says, or as JSON."""
    settings = config.tasks.get(task)
    codec = (settings.codec if settings else None) or "json"
    CODECS[codec].decode(param)


def _read(file: IO[bytes]) -> str:
    """The file's text; raises `ParamError` when it is none."""
    try:
        return file.read().decode()
    except UnicodeDecodeError as error:
        raise ParamError(f"the param is not UTF-8: {error.reason} at byte {error.start}") from None
