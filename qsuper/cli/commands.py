"""The verbs, each imported only when it is used: `qsuper --help` shall cost next to nothing."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from qsuper.cli.settings import Settings
from qsuper.version import VERSION

COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "The daemon": {
        "run": ("qsuper.cli.run:run", "Run the master and its workers, in the foreground"),
        "status": ("qsuper.cli.status:status", "What runs, how deep the queues are, what is wrong"),
        "scale": ("qsuper.cli.scale:scale", "Have more or fewer workers, from now on"),
        "pause": ("qsuper.cli.pause:pause", "Begin no more jobs, on this node or of one queue"),
        "resume": ("qsuper.cli.pause:resume", "Take a pause back"),
        "restart": ("qsuper.cli.orders:restart", "Give one child a fresh process"),
        "reload": ("qsuper.cli.orders:reload", "Load configuration and application anew"),
        "stop": ("qsuper.cli.stop:stop", "Finish the jobs under way, and stop"),
        "web": ("qsuper.cli.web:web", "Say where the dashboard is, and how to log in"),
        "check": ("qsuper.cli.check:check", "Say whether all is in place; start nothing"),
        "alerts": ("qsuper.cli.alerts:alerts", "What has been told and is not over; try it out"),
        "doctor": ("qsuper.cli.doctor.verb:doctor", "Look for what will go wrong one day"),
    },
    "The jobs": {
        "add": ("qsuper.cli.add:add", "Enqueue a job"),
        "group": ("qsuper.cli.group:group", "Enqueue jobs, and one more when all are done"),
        "jobs": ("qsuper.cli.jobs:jobs", "List jobs, the newest first"),
        "timers": ("qsuper.cli.timers:timers", "What falls due next: timers, watched keys"),
        "show": ("qsuper.cli.jobs:show", "All about one job"),
        "why": ("qsuper.cli.why:why", "Why a job has not run, or why it died"),
        "logs": ("qsuper.cli.logs:logs", "What was logged and printed, by all or by one job"),
        "retry": ("qsuper.cli.moves:retry", "Give finished jobs another try"),
        "cancel": ("qsuper.cli.moves:cancel", "Take waiting jobs back, end running ones"),
        "run-now": ("qsuper.cli.moves:run_now", "Let what waits for its time run now"),
    },
    "And": {
        "work": ("qsuper.cli.work:work", "Run one pass over one slice of a queue, for crontab"),
        "cron": ("qsuper.cli.cron:cron", "Schedules: make what is due, list, run, pause"),
        "db": ("qsuper.cli.db:db", "Make, upgrade and prune the tables"),
        "demo": ("qsuper.demo:main", "See it work: a mailing, unpaid orders, and what is killed"),
    },
}
"""By group: verb, where it is, and what it is for."""

_PLACES = {name: place for group in COMMANDS.values() for name, (place, _) in group.items()}


class Verbs(click.Group):
    """A group that knows its commands by name and loads the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        place = _PLACES.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        return _command(cmd_name, getattr(importlib.import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for heading, group in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, about) for name, (_, about) in group.items()])


def _command(name: str, found: click.Command | Callable[[], Any]) -> click.Command:
    """A verb that has no options may be a plain function."""
    return found if isinstance(found, click.Command) else click.command(name)(found)


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every verb has a --help of its own.",
)
@click.version_option(VERSION, "-V", "--version", message="qsuper %(version)s")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The configuration; without it $QSUPER_CONFIG, else ./qsuper.toml if there is one.",
)
@click.pass_context
def qsuper(ctx: click.Context, config: Path | None) -> None:
    """A job queue and timer daemon: jobs are rows of a table, workers are forked processes."""
    ctx.obj = Settings(config)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
