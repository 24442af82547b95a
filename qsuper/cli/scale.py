"""`qsuper scale`."""

import re
from typing import NamedTuple

import click

from qsuper.cli.autoscale import describe, explanation
from qsuper.cli.printing import to_json
from qsuper.cli.settings import Settings, pass_settings
from qsuper.cli.status import look
from qsuper.config import Config
from qsuper.config.tables.queues import WORKERS_MOST
from qsuper.errors import QsuperError
from qsuper.job import DEFAULT_QUEUE
from qsuper.master.scale import AUTO, parse_workers


class Wish(NamedTuple):
    """What is asked for."""

    queue: str | None
    workers: int | str
    """A number, or `auto`; a difference where `relative`."""
    relative: bool = False


_STEP = re.compile(r"[+-][0-9]{1,3}", re.ASCII)


def wish_of(text: str) -> Wish:
    """`10`, `mail=4`, `mail=auto`, `+2`, `mail=-1`; a usage error with the bounds."""
    queue, equals, workers = text.rpartition("=")
    if equals and not queue:
        raise click.BadParameter(f"{text!r} names no queue: write mail=4")
    # A bare -1 is more often a mistake than one worker less.
    if _STEP.fullmatch(workers) and (queue or workers.startswith("+")):
        return Wish(queue or None, int(workers), relative=True)
    try:
        number = parse_workers(workers)
    except QsuperError as error:
        less = f"; {DEFAULT_QUEUE}=-1 is one less" if workers.startswith("-") else ""
        raise click.BadParameter(f"{error}{less}") from None
    return Wish(queue or None, AUTO if number is None else number)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("wish", metavar="[QUEUE=]WORKERS", type=wish_of, required=False)
@click.option("--explain", is_flag=True, help="Show what the autoscale decided last, and why.")
@click.option("--json", "as_json", is_flag=True, help="With --explain: print it as JSON.")
@pass_settings
def scale(settings: Settings, wish: Wish | None, explain: bool, as_json: bool) -> None:
    """Have so many workers from now on: 10, mail=4, +2, mail=-1, or mail=auto.

    Without a queue the default one is meant. The number is remembered across restarts until the
    configured one changes; auto gives the queue back to the configuration: to its number, or to
    the autoscale where that has bounds. No running job is cut.
    """
    if explain or as_json:
        if wish is not None or not explain:
            raise click.UsageError("--explain [--json] only shows: give it no number of workers")
        config = settings.config()
        picture = look(config)
        lines = [to_json(describe(config, picture))] if as_json else explanation(config, picture)
        click.echo("\n".join(lines))
        return
    if wish is None:
        raise click.UsageError("how many workers? Write 10, mail=4, +2, mail=-1 or mail=auto")
    if wish.relative:
        wish = absolute(wish, settings.config())
    queue = {} if wish.queue is None else {"queue": wish.queue}
    wanted = settings.ask("scale", workers=wish.workers, **queue)["wanted"]
    click.echo(", ".join(f"{name}: {_workers(count)}" for name, count in wanted.items()))


def absolute(wish: Wish, config: Config) -> Wish:
    """The number that a difference comes to, from what the master wants now."""
    wanted = {queue.name: queue.wanted for queue in look(config).queues}
    queue = wish.queue or (DEFAULT_QUEUE if DEFAULT_QUEUE in wanted else next(iter(wanted)))
    if queue not in wanted:
        return Wish(queue, AUTO)
    return Wish(queue, min(WORKERS_MOST, max(0, wanted[queue] + int(wish.workers))))


def _workers(count: int) -> str:
    if count == 0:
        return "0 workers, nothing of it will run here"
    return f"{count} worker{'' if count == 1 else 's'}"
