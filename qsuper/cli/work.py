"""`qsuper work`: the daemon's work without the daemon."""

from pathlib import Path

import click
from msgspec.structs import replace

from qsuper import logs
from qsuper.cli.parameters import a_slice, queue_name
from qsuper.cli.settings import Settings, pass_settings
from qsuper.config import Config, QueueConfig
from qsuper.errors import AlreadyRunning
from qsuper.job import DEFAULT_QUEUE
from qsuper.master import Master
from qsuper.roles import pass_kinds
from qsuper.slices import Slice


@click.command()
@click.option(
    "--slice",
    "mine",
    type=a_slice,
    required=True,
    metavar="I/N",
    help="Run the jobs with id % N = I, and no others; I counts from 0.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=200,
    show_default=True,
    help="Most jobs to run.",
)
@click.option("--queue", type=queue_name, metavar="QUEUE", default=DEFAULT_QUEUE, show_default=True)
@pass_settings
def work(settings: Settings, mine: Slice, limit: int, queue: str) -> int:
    """Run one pass over one slice of a queue, and exit: for crontab, where no daemon runs.

    It begins with one round of promoting what is due and rescuing what the dead have left. While
    an earlier pass over the same slice goes on, it says so and does nothing (exit code 0).
    """
    config = of_pass(settings.config(), mine, queue)
    # The daemon waits for its database; a pass that cannot work says so, for the next one follows.
    settings.database()
    logs.setup(config.log, "master")
    master = Master(
        config,
        pass_kinds(mine, limit),
        reload_config=lambda: of_pass(settings.config(), mine, queue),
        once=True,
    )
    try:
        code = master.run()
    except AlreadyRunning as error:
        click.echo(f"nothing done, the last pass over slice {mine} goes on: {error}")
        return 0
    if code:
        click.echo(
            f"qsuper: the pass over slice {mine} has failed: the log in {config.log.dir} says why",
            err=True,
        )
    return code


def of_pass(config: Config, mine: Slice, queue: str) -> Config:
    """The configuration of a node of its own that has one worker."""
    name = f"work-{mine.index}-of-{mine.count}"
    if queue != DEFAULT_QUEUE:
        name = f"{name}-{queue}"
    return replace(
        config,
        state_dir=str(Path(config.state_dir) / name),
        queues={queue: QueueConfig(workers=1)},
    )
