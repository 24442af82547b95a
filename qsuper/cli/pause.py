"""`qsuper pause` and `qsuper resume`: this node, or one queue on every node."""

import click

from qsuper.cli.parameters import queue_name
from qsuper.cli.settings import Settings, connected, pass_settings
from qsuper.errors import QsuperError


@click.command()
@click.argument("queue", type=queue_name, metavar="[QUEUE]", required=False)
@pass_settings
def pause(settings: Settings, queue: str | None) -> None:
    """Begin no more jobs: of QUEUE on every node, or without it of this node at all.

    Jobs that run are finished. A paused queue stays so until `qsuper resume QUEUE`, restarts
    included; a paused node until `qsuper resume` or its next start.
    """
    if queue is None:
        settings.ask("pause")
        click.echo("this node is paused; `qsuper resume` lets it go on")
        return
    set_paused(settings, queue, paused=True)
    click.echo(f"queue {queue} is paused on every node; `qsuper resume {queue}` lets it go on")


@click.command()
@click.argument("queue", type=queue_name, metavar="[QUEUE]", required=False)
@pass_settings
def resume(settings: Settings, queue: str | None) -> None:
    """Take the pause of QUEUE, or without it that of this node, back."""
    if queue is None:
        settings.ask("resume")
        click.echo("this node goes on")
        return
    set_paused(settings, queue, paused=False)
    click.echo(f"queue {queue} goes on, on every node")


def set_paused(settings: Settings, queue: str, *, paused: bool) -> None:
    """Pause or resume a queue that the configuration names or that has rows."""
    from qsuper.store import counting, pausing

    configured = settings.config().queues
    with connected(settings.database()) as connection:
        known = {*configured, *counting.queue_names(connection), *pausing.paused_queues(connection)}
        if queue not in known:
            raise QsuperError(f"there is no queue {queue!r}; known: {', '.join(sorted(known))}")
        pausing.set_paused(connection, queue, paused)
