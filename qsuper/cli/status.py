"""`qsuper status`."""

import time
from pathlib import Path

import click
import msgspec

from qsuper.cli.drawing import draw
from qsuper.cli.printing import terminal_width, to_json
from qsuper.cli.settings import Settings, pass_settings
from qsuper.config import Config
from qsuper.errors import NotRunning, QsuperError
from qsuper.picture import Picture, take
from qsuper.scoreboard import clock

RUNNING, NOT_RUNNING, UNKNOWN = 0, 3, 4
"""Exit codes, as the Linux Standard Base has them."""


class StatusUnknown(click.ClickException):
    """Whether qsuper runs cannot be told."""

    exit_code = UNKNOWN


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print all there is as JSON.")
@click.option("--watch", is_flag=True, help="Look again each second, until interrupted.")
@pass_settings
def status(settings: Settings, as_json: bool, watch: bool) -> int:
    """Show the master, its children and the queues: what is wrong comes first.

    Everything is read from the scoreboard in state_dir, so it is there with the database away,
    too. Exit code: 0 running, 3 not running, 4 unknown.
    """
    try:
        config = settings.config()
        if watch:
            from qsuper.cli.watch import keep_showing

            return keep_showing(lambda: _show(config, as_json=as_json), as_json=as_json)
        text, code = _show(config, as_json=as_json)
    except QsuperError as error:
        raise StatusUnknown(str(error)) from error
    click.echo(text)
    return code


def look(config: Config) -> Picture:
    """The picture of now; raises `NotRunning` or `ScoreboardError`."""
    return take(Path(config.state_dir), now=clock(), unix=time.time())


def _show(config: Config, *, as_json: bool) -> tuple[str, int]:
    """What is to be printed, and the exit code."""
    try:
        picture = look(config)
    except NotRunning as error:
        if as_json:
            return to_json({"running": False, "state_dir": config.state_dir}), NOT_RUNNING
        return f"qsuper is {error}", NOT_RUNNING
    if as_json:
        shown = {"running": True, "state_dir": config.state_dir, "config": config.file}
        return to_json(shown | msgspec.to_builtins(picture)), RUNNING
    return "\n".join(draw(picture, config, terminal_width())), RUNNING
