"""All that is on the screen at one moment."""

import time

from rich.text import Text

from qsuper.cli.printing import printable
from qsuper.cli.screen.heading import degraded, summary
from qsuper.cli.screen.queues import queues
from qsuper.cli.screen.section import fit
from qsuper.cli.screen.waiting import decisions, due
from qsuper.cli.screen.workers import workers
from qsuper.config import Config
from qsuper.picture import Picture, span


def frame(
    picture: Picture,
    config: Config,
    *,
    width: int,
    height: int,
    unix: float,
    plain: bool = False,
) -> list[Text]:
    """Its lines, what is wrong first. `plain`: in ASCII as far as it is ours."""
    sections = (
        degraded(picture, width, unix),
        summary(picture, config, width, unix),
        queues(picture, width),
        workers(picture, width, plain=plain),
        due(picture, width, unix),
        decisions(picture, width),
    )
    lines = fit(sections, height)
    for line in lines:
        line.truncate(width)
    return lines


def no_picture(why: str, *, width: int, unix: float, seen: float | None) -> list[Text]:
    """What is shown while there is none; `seen`: Unix time of the last one."""
    clock = time.strftime("%H:%M:%S", time.localtime(unix))
    lines = [Text(f"! qsuper is {printable(why)}", style="bold red"), Text()]
    if seen is not None:
        last = time.strftime("%H:%M:%S", time.localtime(seen))
        lines.append(Text(f"it was last seen at {last}, {span(unix - seen)} ago"))
    lines.append(Text(f"it is {clock}; as soon as it runs it is shown here, q ends this"))
    return [piece for line in lines for piece in _wrapped(line, width)]


def _wrapped(line: Text, width: int) -> list[Text]:
    return [line[start : start + width] for start in range(0, len(line), width)] or [Text()]
