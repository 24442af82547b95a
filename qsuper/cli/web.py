"""`qsuper web`."""

from pathlib import Path

import click

from qsuper.cli.settings import Settings, pass_settings
from qsuper.errors import QsuperError


@click.command()
@pass_settings
def web(settings: Settings) -> None:
    """Say where the dashboard is, and where the token is that one logs in with.

    The dashboard is a child of `qsuper run`: `[web] listen` in the configuration switches it on.
    """
    config = settings.config()
    listen = config.web.listen
    if listen is None:
        raise QsuperError(
            'the dashboard is off; switch it on by listen = "127.0.0.1:8470" below [web]'
        )
    click.echo(f"the dashboard is at http://{_reachable(listen)}/")
    path = Path(config.state_dir) / "web.token"
    if config.web.token is not None:
        click.echo("the token is web.token of the configuration")
    elif path.exists():
        click.echo(f"the token is in {path}")
    else:
        click.echo(f"the token will be in {path} once `qsuper run` has started")


def _reachable(listen: str) -> str:
    """What to write into a browser on this host."""
    host, _, port = listen.rpartition(":")
    return f"localhost:{port}" if host in ("0.0.0.0", "[::]") else listen
