"""`qsuper cron`: schedules."""

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qsuper.cli.printing import to_json
from qsuper.cli.settings import Settings, connected, pass_settings
from qsuper.errors import AppError, QsuperError

if TYPE_CHECKING:
    from qsuper.roles.scheduling import Scheduling


@click.group(invoke_without_command=True)
@click.pass_context
def cron(ctx: click.Context) -> None:
    """Make jobs of what is due, list the schedules, run or pause one."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@cron.command()
@pass_settings
def tick(settings: Settings) -> None:
    """Make the jobs that are due now, and exit: one line of crontab, where no daemon runs.

    On any number of hosts, and beside any number of daemons, each due time becomes one job.
    """
    from qsuper import logs
    from qsuper.cli import schedules
    from qsuper.roles.alerts import ticks

    scheduling = _scheduling(settings)
    config = settings.config()
    logs.setup(config.log, "cron")
    with connected(settings.database()) as connection:
        done = scheduling.round(connection)
    ticks.note(Path(config.state_dir))
    click.echo(schedules.told(len(scheduling.schedules), done))
    if done.failed:
        said = [f"the schedule {name!r}: {reason}" for name, reason in done.failed.items()]
        raise QsuperError("; ".join(said))


@cron.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_settings
def list_schedules(settings: Settings, as_json: bool) -> None:
    """All schedules: when each is due next, its last job, and how many due times were missed."""
    from qsuper.cli import schedules

    scheduling = _scheduling(settings)
    with connected(settings.database()) as connection:
        found = schedules.overview(connection, scheduling.schedules, scheduling.refused)
    if as_json:
        click.echo(to_json(found))
        return
    for line in schedules.table(found):
        click.echo(line)


@cron.command()
@click.argument("name")
@pass_settings
def run(settings: Settings, name: str) -> None:
    """Make one job of the schedule NAME now, and print its id; it counts as no due time's."""
    scheduling = _scheduling(settings)
    if name not in scheduling.schedules:
        raise _missing(scheduling, name, scheduling.schedules)
    with connected(settings.database()) as connection:
        click.echo(scheduling.run_now(connection, name))


@cron.command()
@click.argument("name")
@pass_settings
def pause(settings: Settings, name: str) -> None:
    """Have the schedule NAME make no jobs, on any host, until `qsuper cron resume NAME`.

    What falls due meanwhile is not made up for.
    """
    _set_paused(settings, name, paused=True)
    click.echo(f"schedule {name} is paused; `qsuper cron resume {name}` lets it go on")


@cron.command()
@click.argument("name")
@pass_settings
def resume(settings: Settings, name: str) -> None:
    """Have the schedule NAME make jobs again, from now on."""
    _set_paused(settings, name, paused=False)
    click.echo(f"schedule {name} goes on")


def _set_paused(settings: Settings, name: str, *, paused: bool) -> None:
    """Needs no more than the table's row: an application that is broken is a reason to pause."""
    from qsuper.store import schedules

    broken: AppError | None = None
    try:
        scheduling = _scheduling(settings)
    except AppError as error:
        broken = error
        scheduling = _nothing_known(settings)
    with connected(settings.database()) as connection:
        if not scheduling.set_paused(connection, name, paused):
            names = dict.fromkeys([*scheduling.schedules, *schedules.read(connection)])
            raise broken or _missing(scheduling, name, names)


def _scheduling(settings: Settings) -> "Scheduling":
    """The schedules of application and configuration."""
    from qsuper.roles.scheduling import Scheduling
    from qsuper.tasks import application

    config = settings.config()
    return Scheduling(config, application.load(config))


def _nothing_known(settings: Settings) -> "Scheduling":
    """No schedules but those of the table. What the configuration says is not enough: names
    depend on what the application says, too."""
    import msgspec

    from qsuper.roles.scheduling import Scheduling
    from qsuper.tasks.registry import Registry

    config = msgspec.structs.replace(settings.config(), schedule=())
    return Scheduling(config, Registry())


def _missing(scheduling: "Scheduling", name: str, names: Collection[str]) -> QsuperError:
    """What is said of a schedule that is not among these names."""
    for one in scheduling.refused:
        if one.name == name:
            return QsuperError(f"the schedule {name!r}: {one.reason}")
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    return QsuperError(f"there is no schedule {name!r}; {hint}")
