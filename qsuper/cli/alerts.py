"""`qsuper alerts`."""

import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from qsuper.cli.printing import printable, to_json
from qsuper.cli.settings import Settings, pass_settings
from qsuper.config import Config
from qsuper.errors import QsuperError
from qsuper.picture import span
from qsuper.roles.alerts.destination import Destination, destinations
from qsuper.roles.alerts.episodes import Told
from qsuper.roles.alerts.message import Message
from qsuper.roles.alerts.notebook import Notebook, Notes
from qsuper.scoreboard import clock

TEST = "test"


@click.command()
@click.option("--test", is_flag=True, help="Send a test alert and its end, now.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_settings
def alerts(settings: Settings, test: bool, as_json: bool) -> None:
    """List what has been told and is not over yet, and what does not get through.

    With --test a command and a webhook of [alerts] are tried from here; no daemon need run.
    """
    config = settings.config()
    if test:
        if as_json:
            raise click.UsageError("take --test or --json, not both")
        _try_out(config)
        return
    notes = Notebook(Path(config.state_dir)).read()
    if as_json:
        click.echo(to_json(_plain(notes)))
        return
    for line in _shown(notes, config):
        click.echo(line)


def _try_out(config: Config) -> None:
    """Raises `QsuperError` for those that did not take it."""
    wrong = []
    for destination in _configured(config):
        if why := _delivered(destination, config):
            wrong.append(f"the {destination.name} ({destination.shown}): {why}")
        else:
            click.echo(f"the {destination.name} ({destination.shown}) has taken a test alert")
    if wrong:
        raise QsuperError("; ".join(wrong))


def _configured(config: Config) -> list[Destination]:
    found = list(destinations(config))
    if not found:
        raise QsuperError("nobody is to be told; name a command or a webhook in [alerts]")
    return found


def _delivered(destination: Destination, config: Config) -> str:
    """What went wrong, or an empty text. Its end is sent, too: nobody shall wait for it."""
    now = time.time()
    for told in (
        Told(TEST, "", "begun", "a test: nothing is wrong", now, now),
        Told(TEST, "", "over", "over: a test, nothing was wrong", now, now),
    ):
        errand = destination.send(Message.of(told, config.node.name), clock())
        while (why := errand.over(clock())) is None:
            errand.wait(max(0.0, errand.ends_at - clock()))
        if why:
            return why
    return ""


def _plain(notes: Notes) -> dict[str, object]:
    return {
        "open": [
            {name: getattr(one, name) for name in ("kind", "about", "text", "since")}
            for one in notes.episodes.open
            if one.told
        ],
        "waiting": {
            name: {"messages": msgspec.to_builtins(outbox.messages), "why": outbox.why}
            for name, outbox in notes.outboxes.items()
        },
    }


def _shown(notes: Notes, config: Config) -> Iterator[str]:
    for destination in _configured(config):
        outbox = notes.outboxes.get(destination.name)
        if outbox is not None and outbox.why:
            left = len(outbox.messages)
            yield click.style(
                f"! {left} wait for the {destination.name} ({destination.shown}): "
                f"{printable(outbox.why)}",
                fg="red",
            )
    now = time.time()
    open_ = [one for one in notes.episodes.open if one.told]
    for one in open_:
        about = f" {printable(one.about)}" if one.about else ""
        yield f"{one.kind}{about}, for {span(now - one.since)}"
        yield f"  {printable(one.text)}"
    if not open_:
        yield "nothing has been told that is not over"
