"""`qsuper logs`."""

import sys
import time
from contextlib import suppress
from pathlib import Path

import click

from qsuper.cli.choosing import a_moment
from qsuper.cli.colour import coloured
from qsuper.cli.log_lines import Show, json_object, one_line, unfolded
from qsuper.cli.parameters import an_id, task_name
from qsuper.cli.settings import Settings, pass_settings
from qsuper.errors import QsuperError
from qsuper.logs.reading import Reader, start_of
from qsuper.logs.sought import Sought

_LOOK_EVERY = 0.2
_LAST = 20
_LEVELS = {"debug": "debug", "info": "info", "warning": "warn", "error": "error"}
"""As [log] level has them, and as lines do."""


@click.command()
@click.option("-f", "follow", is_flag=True, help="Go on with what is written from now on.")
@click.option(
    "-n",
    "most",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"The last N that fit; without it {_LAST}, and with --job or --since all.",
)
@click.option("--job", type=an_id, metavar="ID", help="What this job said, printed, or met with.")
@click.option("--task", type=task_name, metavar="TASK", help="What the jobs of this task said.")
@click.option("--level", type=click.Choice(list(_LEVELS)), help="Those as urgent as this or more.")
@click.option(
    "--since", type=a_moment, metavar="WHEN", help="2h, 3d, 2026-11-20 or 2026-11-20T10:00."
)
@click.option("--json", "as_json", is_flag=True, help="Print each as one line of JSON.")
@pass_settings
def logs(
    settings: Settings,
    follow: bool,
    most: int | None,
    job: int | None,
    task: str | None,
    level: str | None,
    since: float | None,
    as_json: bool,
) -> None:
    """Show the log of this node, the newest last.

    Read from the day-files in [log] dir, over as many days as are kept. Control characters are made
    visible. On a terminal a traceback stands below its line; anywhere else each record is one line.
    """
    if most is None and job is None and since is None:
        most = _LAST
    sought = Sought(job, task, None if level is None else _LEVELS[level], since)
    folder = _folder(settings)
    place = start_of(folder, sought, most)
    if place is None and not follow:
        raise QsuperError(f"no log in {folder} yet: it is written there once `qsuper run` has run")
    reader = Reader(folder, place, sought)
    show = json_object if as_json else unfolded if sys.stdout.isatty() else one_line
    with suppress(KeyboardInterrupt):
        _print(reader, show)
        while follow:
            time.sleep(_LOOK_EVERY)
            _print(reader, show)
    reader.close()


def _folder(settings: Settings) -> Path:
    config = settings.config()
    if config.log.dir == "-":
        raise QsuperError(
            'the log goes to standard output ([log] dir = "-"): read it where that goes, such as'
            " `journalctl -u qsuper` or `supervisorctl tail qsuper`, or name a folder"
        )
    return Path(config.log.dir)


def _print(reader: Reader, show: Show) -> None:
    plain = show is unfolded and not coloured()
    # Not click.echo, which flushes each line: a log is many.
    for piece in reader.read():
        for text in show(piece):
            sys.stdout.write(f"{click.unstyle(text) if plain else text}\n")
    sys.stdout.flush()
