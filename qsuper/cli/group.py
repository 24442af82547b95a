"""`qsuper group`."""

from collections.abc import Iterator
from typing import IO

import click

from qsuper.cli.add import check_unknown, learn_tasks
from qsuper.cli.parameters import task_name
from qsuper.cli.settings import Settings, pass_settings
from qsuper.client import Queue
from qsuper.errors import ParamError


@click.command()
@click.argument("then", type=task_name, metavar="THEN")
@click.argument("param", required=False)
@click.option(
    "--jobs",
    type=click.File("rb"),
    default="-",
    metavar="FILE",
    help="A line for each job: its task, a space, its param. Without it standard input.",
)
@pass_settings
def group(settings: Settings, then: str, param: str | None, jobs: IO[bytes]) -> None:
    """Add jobs, and when all of them are done a job of the task THEN with PARAM.

        printf 'draw_page {"page": %d}\\n' 1 2 3 | qsuper group send_report

    Prints the ids of the jobs. All are added, or none; without a line nothing is, exit code 1.
    """
    settings.database()
    queue = Queue(config=settings.config())
    learn_tasks(queue, then)
    with queue.raw_group(then, _checked(queue, then, param)) as members:
        number = 0
        for number, (task, own) in enumerate(_lines(jobs), 1):
            try:
                members.add_raw(task, _checked(queue, task, own))
            except ParamError as error:
                raise ParamError(f"line {number}: {error}") from None
        if not number:
            # What was to write the lines has died, more likely than not.
            raise ParamError(f"there were no jobs, so {then} was not added: give a line for each")
    for job_id in members.ids:
        click.echo(job_id)


def _checked(queue: Queue, task: str, param: str | None) -> str | None:
    if queue.registry.get(task) is None:
        check_unknown(task, param, queue.config)
    return param


def _lines(file: IO[bytes]) -> Iterator[tuple[str, str | None]]:
    for number, raw in enumerate(file, 1):
        try:
            text = raw.decode().strip()
        except UnicodeDecodeError:
            raise ParamError(f"line {number} is not UTF-8") from None
        if text:
            task, _, param = text.partition(" ")
            yield task, param.strip() or None
