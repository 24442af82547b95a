"""`qsuper run`."""

import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from qsuper import __version__
from qsuper.cli.settings import Settings, naming, open_database, pass_settings

log = logging.getLogger("qsuper.master")


@click.command()
@click.option(
    "--wait",
    is_flag=True,
    help="Stand by while another master runs here, and take over when it ends.",
)
@pass_settings
def run(settings: Settings, wait: bool) -> int:
    """Run the master and its workers in the foreground, until TERM or INT.

    TERM and INT drain, a second INT or QUIT stops at once, HUP reloads, TTIN and TTOU are one
    worker more or less, TSTP and CONT pause and resume, USR1 opens the logs anew. Put it under
    supervisord or systemd to have it started at boot and after a crash (docs/deploy.md).
    """
    # The client is for the application: loaded before the fork, its memory is shared by all.
    from qsuper import client as _client  # noqa: F401
    from qsuper import logs
    from qsuper.config.loader import STANDARD_OUTPUT
    from qsuper.master import Master, account
    from qsuper.roles import KINDS
    from qsuper.store import schema

    if os.getpid() == 1:
        # The kernel keeps from the first process of a container what it has no handler for.
        signal.signal(signal.SIGTERM, _leave)
    config = settings.config()
    folders = [config.state_dir, *([config.log.dir] if config.log.dir != STANDARD_OUTPUT else [])]
    account.become(config.user, config.group, map(Path, folders))
    if config.redis.url is not None:
        from qsuper.roles import listener as _listener  # noqa: F401
    # The master never opens the database: it is done before there is one.
    database = open_database(config)
    with naming(database):
        schema.ensure(database)
    logs.setup(config.log, "master")
    if account.is_root_unasked(config.user):
        log.warning('jobs run as root: name who they should be, user = "..." in qsuper.toml')
    if sys.stderr.isatty():
        click.echo(
            f"qsuper {__version__} runs in {config.state_dir}, logs: {config.log.dir}", err=True
        )
    return Master(config, KINDS, reload_config=settings.config, wait=wait).run()


def _leave(number: int, _frame: FrameType | None) -> None:
    """Asked to stop before there was a master."""
    raise SystemExit(128 + number)
