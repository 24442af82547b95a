"""`qsuper db`: the tables."""

from functools import partial

import click

from qsuper.cli.adopt import adopt
from qsuper.cli.progress import Progress
from qsuper.cli.settings import Settings, connected, naming, open_database, pass_settings
from qsuper.errors import QsuperError
from qsuper.states import FINISHED
from qsuper.store import altering, pruning, schema
from qsuper.store.threads import Threads

DAY = 86400.0


@click.group(invoke_without_command=True)
@click.pass_context
def db(ctx: click.Context) -> None:
    """Make, upgrade, adopt and prune the tables."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


db.add_command(adopt)


@db.command()
@pass_settings
def upgrade(settings: Settings) -> None:
    """Make the tables, or bring them to this version."""
    database = open_database(settings.config())
    ask = partial(_percent, Threads(database)) if database.backend.name == "mysql" else None
    with naming(database), Progress("upgrading the tables", "", 100, ask=ask):
        before, after = schema.upgrade(database)
    if before == after:
        click.echo(f"the tables are at {after}, the newest version, already")
    else:
        click.echo(f"the tables went from {before or 'nothing'} to {after}")


@db.command()
@click.option(
    "--keep-days",
    type=click.IntRange(0, 36500),
    help="Keep what finished within so many days; without it as job.keep_days says.",
)
@pass_settings
def prune(settings: Settings, keep_days: int | None) -> None:
    """Delete finished jobs that are old enough.

    In steps so small that no worker waits. The daemon does this by itself; this is for those who
    do not run it.
    """
    days = settings.config().job.keep_days
    keep = {
        state: DAY * (getattr(days, state.word) if keep_days is None else keep_days)
        for state in FINISHED
    }
    walk = pruning.Pruning()
    with connected(settings.database()) as connection:
        first, last = pruning.ids(connection)
        with Progress("pruning", "ids", last - first + 1) as progress:
            while not walk.ended:
                pruning.step(connection, walk, keep)
                progress.at(max(0, walk.after - first + 1), f"{walk.deleted:,} deleted")
    click.echo(f"{walk.deleted} finished jobs deleted")


def _percent(threads: Threads) -> int | None:
    """How far the ALTER TABLE under way is, over a connection of this thread's own."""
    try:
        return threads.do(altering.percent)
    except QsuperError:
        return None
