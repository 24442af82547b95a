"""`qsuper status --watch`."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress

import click
from rich.console import Console

from qsuper.cli.colour import is_dumb
from qsuper.cli.screen import Painter, Terminal, frame, no_picture
from qsuper.config import Config
from qsuper.errors import NotRunning, ScoreboardError
from qsuper.picture import Picture

Look = Callable[[], Picture]
_QUIT = "qQ"


def is_screen() -> bool:
    """Whether what is printed goes to a terminal that can be drawn on."""
    return sys.stdout.isatty() and not is_dumb()


def keep_printing(text: Callable[[], str], every: float) -> None:
    """Print it each `every` seconds until interrupted."""
    with suppress(KeyboardInterrupt):
        while True:
            click.echo(text())
            time.sleep(every)


def keep_drawing(look: Look, config: Config, every: float) -> None:
    """Draw what is there each `every` seconds until somebody presses q or interrupts."""
    console = Console()
    plain = console.options.ascii_only
    seen: float | None = None
    with suppress(KeyboardInterrupt), Terminal() as terminal:
        painter = Painter(console, terminal.write)
        while True:
            began, unix = time.monotonic(), time.time()
            width, height = terminal.size
            try:
                picture = look()
                lines = frame(picture, config, width=width, height=height, unix=unix, plain=plain)
                seen = unix
            except (NotRunning, ScoreboardError) as error:
                lines = no_picture(str(error), width=width, unix=unix, seen=seen)
            if terminal.redraw:
                terminal.redraw = False
                painter.forget()
            painter.show(lines)
            while not terminal.redraw and (left := began + every - time.monotonic()) > 0:
                if set(_QUIT) & set(terminal.key(left)):
                    return
