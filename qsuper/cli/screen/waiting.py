"""What falls due next, and what the autoscale has decided."""

import time
from collections.abc import Sequence

from rich.text import Text

from qsuper.cli.printing import columns, cut, printable
from qsuper.cli.screen.section import Section
from qsuper.picture import Due, Picture, span

_NAME_MOST = 30
_HEAD = ("DUE IN", ">ID", "NAME", "TASK", "QUEUE")


def due(picture: Picture, width: int, unix: float) -> Section:
    """A row each, the soonest first. Where anything has a name, which makes it a timer, those that
    only wait for their next attempt are left out."""
    if not picture.due:
        return Section((), ())
    most = max(_NAME_MOST, width // 3)
    shown = [one for one in picture.due if one.name] or picture.due
    head, *lines = columns(_HEAD, [_row(one, unix, most) for one in shown], width=width)
    return Section([Text(head, style="dim")], [*map(Text, lines)], least=2, rest=_rest)


def _row(one: Due, unix: float, most: int) -> tuple[object, ...]:
    when = span(one.at - unix) if one.at > unix else f"late {span(unix - one.at)}"
    name = f"{one.name} (key)" if one.what == "key" else one.name
    return when, one.id, cut(printable(name), most), one.task, one.queue


def _rest(hidden: Sequence[int]) -> str:
    return f"and {len(hidden)} later ones or more: `qsuper timers` lists them"


def decisions(picture: Picture, width: int) -> Section:
    """One row each, the newest first."""
    if not picture.decisions:
        return Section((), ())
    rows = [
        Text(
            cut(
                f"{time.strftime('%H:%M:%S', time.localtime(one.at))}  {one.queue}"
                f" {_change(one.before, one.after)}: {printable(one.why)}",
                width,
            )
        )
        for one in reversed(picture.decisions)
    ]
    return Section(
        [Text("WORKERS BY ITSELF", style="dim")],
        rows,
        least=1,
        rest=lambda hidden: f"and {len(hidden)} before: `qsuper scale --explain` lists them",
    )


def _change(before: int, after: int) -> str:
    return f"stays at {after}" if before == after else f"{before} to {after}"
