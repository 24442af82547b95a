"""`qsuper status --watch`: the same text, again and again."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

EVERY = 1.0


def keep_showing(look: Callable[[], tuple[str, int]], *, as_json: bool) -> int:
    """Show what `look` returns each second until interrupted; the last exit code."""
    text, code = look()
    with suppress(KeyboardInterrupt):
        if as_json or not sys.stdout.isatty():
            while True:
                click.echo(text)
                time.sleep(EVERY)
                text, code = look()
        with Live(Text.from_ansi(text), console=Console(), screen=True) as live:
            while True:
                time.sleep(EVERY)
                text, code = look()
                live.update(Text.from_ansi(text), refresh=True)
    return code
