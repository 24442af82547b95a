"""Orders to the master that need no more than their name: `qsuper restart`, `qsuper reload`."""

import click

from qsuper.cli.settings import Settings, pass_settings


@click.command()
@click.argument("name")
@pass_settings
def restart(settings: Settings, name: str) -> None:
    """Give one child a fresh process; NAME is as `qsuper status` shows it: default[3], scheduler.

    A worker finishes its job first. A child that is FATAL or in BACKOFF is tried again at once.
    """
    settings.ask("restart", name=name)
    click.echo(f"{name} is being restarted")


@click.command()
@pass_settings
def reload(settings: Settings) -> None:
    """Load configuration and application anew: children are replaced one by one, no job is cut.

    A configuration with mistakes is refused, and the old one stays in force.
    """
    settings.ask("reload")
    click.echo("reloading: the children are replaced one by one")
