"""`qsuper why`."""

import re
import textwrap
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from qsuper.cli.parameters import an_id
from qsuper.cli.printing import printable, terminal_width, to_json
from qsuper.cli.settings import Settings, connected, pass_settings
from qsuper.errors import NotRunning, ScoreboardError
from qsuper.picture import Picture, span, take
from qsuper.scoreboard import clock
from qsuper.states import FINISHED, ChildState
from qsuper.store.explaining import Explanation, explain
from qsuper.store.hindrances import Reason

_COMMAND = re.compile(r"`[^`]*`")
_NO_BREAK = "\N{NO-BREAK SPACE}"
_ILL = (ChildState.FATAL, ChildState.BACKOFF)


@click.command()
@click.argument("job_id", metavar="ID", type=an_id)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_settings
def why(settings: Settings, job_id: int, as_json: bool) -> None:
    """Explain why a job has not run, what it does now, or why it died, and what helps.

    Looks at the tables and, where a daemon runs here, at its scoreboard; none needs to run.
    """
    with connected(settings.database()) as connection:
        found = explain(connection, job_id)
    here = list(_of_this_node(found, Path(settings.config().state_dir)))
    reasons = [*here, *found.reasons]
    if as_json:
        told = asdict(found) | {"state": found.state.word, "reasons": list(map(asdict, reasons))}
        click.echo(to_json(told))
        return
    for line in _lines(found.summary, reasons, terminal_width()):
        click.echo(line)


def _of_this_node(found: Explanation, state_dir: Path) -> Iterator[Reason]:
    """What only the scoreboard of a daemon that runs here knows."""
    try:
        picture = take(state_dir, now=clock(), unix=time.time(), memory=lambda _: None)
    except (NotRunning, ScoreboardError):
        return
    for child in picture.children:
        if child.job is not None and child.job.id == found.id:
            ran = span(child.job.seconds)
            yield Reason(
                "here", f"its code has run for {ran} in {child.name} of this node (pid {child.pid})"
            )
    if found.state not in FINISHED:
        yield from _troubles(found, picture)


def _troubles(found: Explanation, picture: Picture) -> Iterator[Reason]:
    if picture.stopping:
        yield Reason("stopping", "this node is stopping and begins nothing")
    elif picture.paused:
        yield Reason(
            "node paused", "this node is paused and begins nothing; `qsuper resume` lets it go on"
        )
    for child in picture.children:
        if child.queue == found.queue and child.state in _ILL:
            because = f": {child.last_exit}" if child.last_exit else ""
            yield Reason("ill worker", f"{child.name} of this node is {child.state}{because}")


def _lines(summary: str, reasons: list[Reason], width: int) -> Iterator[str]:
    yield from _wrapped(summary, "", width)
    for reason in reasons:
        yield from _wrapped(reason.text, "- ", width)


def _wrapped(text: str, bullet: str, width: int) -> list[str]:
    """Lines that leave what is to be typed in one piece."""
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", _NO_BREAK), printable(text))
    lines = textwrap.wrap(
        whole,
        max(width, 20),
        initial_indent=bullet,
        subsequent_indent=" " * len(bullet),
        break_on_hyphens=False,
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]
