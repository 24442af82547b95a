"""`qsuper check`."""

import time
from pathlib import Path

import click

from qsuper.cli.printing import printable
from qsuper.cli.settings import Settings, pass_settings
from qsuper.config import Config
from qsuper.errors import ConfigError, QsuperError
from qsuper.picture import take
from qsuper.scoreboard import clock


@click.command()
@click.option("--live", is_flag=True, help="Look at the running daemon, and at nothing else.")
@pass_settings
def check(settings: Settings, live: bool) -> int:
    """Say whether all is in place: configuration, application, database, Redis, folders.

    One line each; nothing is started or made. Exit code 1 when something is wrong. With --live
    the daemon is looked at instead, fast and without the database, for a probe that asks often: 1
    when it does not run or is degraded.
    """
    try:
        config = settings.config()
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"config    {problem}")
        return 1
    return _daemon(config) if live else _everything(config)


def _daemon(config: Config) -> int:
    """A line for each trouble."""
    try:
        # Without their memory, for which the kernel goes through all pages of each child.
        picture = take(
            Path(config.state_dir), now=clock(), unix=time.time(), memory=lambda _pid: None
        )
    except QsuperError as error:
        click.echo(f"daemon    {error}")
        return 1
    for trouble in picture.degraded:
        click.echo(f"daemon    {printable(trouble)}")
    if picture.degraded:
        return 1
    click.echo(f"daemon    ok: pid {picture.pid} runs, nothing is degraded")
    return 0


def _everything(config: Config) -> int:
    # Here, not above: a probe must not pay for the database's driver.
    from qsuper.cli.check_redis import Note
    from qsuper.cli.checks import CHECKS

    click.echo(f"config    ok: {config.file or 'defaults, there is no file'}")
    code = 0
    for name, judge in CHECKS.items():
        try:
            for line in judge(config):
                click.echo(f"{name:<9} {'note' if isinstance(line, Note) else 'ok'}: {line}")
        except QsuperError as error:
            code = 1
            for line in str(error).splitlines():
                click.echo(f"{name:<9} {line}")
    return code
