"""`qsuper status`."""

import json
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from qsuper.cli.drawing import draw
from qsuper.cli.printing import terminal_width, to_json
from qsuper.cli.settings import Settings, pass_settings
from qsuper.config import Config
from qsuper.errors import NotRunning, QsuperError, ScoreboardError
from qsuper.picture import Picture, take
from qsuper.scoreboard import clock

RUNNING, NOT_RUNNING, UNKNOWN = 0, 3, 4
"""Exit codes, as the Linux Standard Base has them."""


class StatusUnknown(click.ClickException):
    """Whether qsuper runs cannot be told."""

    exit_code = UNKNOWN


_EVERY = 1.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print all there is as JSON.")
@click.option("--watch", is_flag=True, help="Look again and again, until q or Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(0.1, 3600.0),
    metavar="SECONDS",
    help=f"With --watch, how often; {_EVERY:g} by default.",
)
@pass_settings
def status(settings: Settings, as_json: bool, watch: bool, every: float | None) -> int:
    """Show the master, its children and the queues: what is wrong comes first.

    Everything is read from the scoreboard in state_dir, so it is there with the database away,
    too. Exit code: 0 running, 3 not running, 4 unknown. With --watch a terminal becomes a screen;
    anything else is printed the same text each time, with --json one line of JSON.
    """
    if every is not None and not watch:
        raise click.UsageError("--every says how often --watch looks: give both")
    try:
        config = settings.config()
        if watch:
            return _watch(config, _EVERY if every is None else every, as_json=as_json)
        text, code = _show(config, as_json=as_json)
    except QsuperError as error:
        raise StatusUnknown(str(error)) from error
    click.echo(text)
    return code


def look(config: Config) -> Picture:
    """The picture of now; raises `NotRunning` or `ScoreboardError`."""
    return take(Path(config.state_dir), now=clock(), unix=time.time())


def _watch(config: Config, every: float, *, as_json: bool) -> int:
    from qsuper.cli import watch

    if as_json:
        watch.keep_printing(lambda: json.dumps(_told(config)[0]), every)
    elif watch.is_screen():
        watch.keep_drawing(lambda: look(config), config, every)
    else:
        watch.keep_printing(lambda: f"{_words(config)}\n", every)
    return RUNNING


def _words(config: Config) -> str:
    """As long as it is looked at again, what cannot be told is no reason to end."""
    try:
        return _show(config, as_json=False)[0]
    except ScoreboardError as error:
        return str(error)


def _show(config: Config, *, as_json: bool) -> tuple[str, int]:
    """What is to be printed, and the exit code."""
    if as_json:
        told, code = _told(config)
        return to_json(told), code
    try:
        picture = look(config)
    except NotRunning as error:
        return f"qsuper is {error}", NOT_RUNNING
    lines = draw(picture, config, terminal_width(), time.time())
    return "\n".join(lines), RUNNING


def _told(config: Config) -> tuple[dict[str, Any], int]:
    """All there is, for machines, and the exit code."""
    try:
        picture = look(config)
    except NotRunning:
        return {"running": False, "state_dir": config.state_dir}, NOT_RUNNING
    shown = {"running": True, "state_dir": config.state_dir, "config": config.file}
    return shown | msgspec.to_builtins(picture), RUNNING
