"""Which jobs are meant: the options that `jobs`, `retry` and `cancel` share."""

import functools
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from qsuper.cli.parameters import queue_name, seconds, some_text, task_name
from qsuper.store.selection import Selection


def a_moment(text: str) -> float:
    """Unix time out of `2h` (so long ago), `2026-11-20` or `2026-11-20T10:00` (local time unless it
    says otherwise); a usage error for anything else."""
    try:
        if "-" in text:
            return datetime.fromisoformat(text).astimezone().timestamp()
        if text[-1:].isalpha():
            return time.time() - seconds(text)
    except (ValueError, OverflowError, OSError, click.BadParameter):
        pass
    raise click.BadParameter(
        f"{text!r:.40} is no moment: write 2h or 3d (ago), 2026-11-20 or 2026-11-20T10:00"
    )


_OPTIONS = (
    click.option("--queue", type=queue_name, metavar="QUEUE", help="Only those of this queue."),
    click.option("--task", type=task_name, metavar="TASK", help="Only those of this task."),
    click.option(
        "--since",
        type=a_moment,
        metavar="WHEN",
        help="Only those that finished (of what has not: were enqueued) since: 2h, 3d, 2026-11-20"
        " or 2026-11-20T10:00.",
    ),
    click.option("--until", type=a_moment, metavar="WHEN", help="Only those that did before."),
    click.option(
        "--error",
        type=some_text,
        metavar="TEXT",
        help="Only those whose last error has TEXT in it.",
    ),
)


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The verb takes these options, and gets what they select as `selection`."""

    @functools.wraps(command)
    def collect(
        *args: Any,
        queue: str | None,
        task: str | None,
        since: float | None,
        until: float | None,
        error: str | None,
        **others: Any,
    ) -> Any:
        selection = Selection(queue=queue, task=task, since=since, until=until, error=error)
        return command(*args, selection=selection, **others)

    return functools.reduce(lambda found, option: option(found), reversed(_OPTIONS), collect)
