"""What is wrong, and what runs here."""

import textwrap
import time

from rich.text import Text

from qsuper.cli.drawing import master, sentences
from qsuper.cli.printing import cut
from qsuper.cli.rates import rates
from qsuper.cli.screen.section import Section
from qsuper.config import Config
from qsuper.picture import Picture


def degraded(picture: Picture, width: int, unix: float) -> Section:
    """A sentence each; long ones go on below."""
    rows = [
        Text(line, style="bold red")
        for sentence in sentences(picture, unix)
        for line in textwrap.wrap(
            sentence, width, initial_indent="! ", subsequent_indent="  ", break_on_hyphens=False
        )
    ]
    return Section((), rows, least=3, rest=lambda _: "  and more: `qsuper status` has it all")


def summary(picture: Picture, config: Config, width: int, unix: float) -> Section:
    """Two lines or three, with the time of day at the right."""
    clock = time.strftime("%H:%M:%S", time.localtime(unix))
    node = f", node {config.node.name}"
    first = cut(f"{master(picture)}{node}", width - len(clock) - 2)
    first = f"{first.ljust(width - len(clock))}{clock}"
    return Section([Text(first, style="bold"), *map(Text, rates(picture.minute))], ())
