"""A picture in plain text, for a terminal of 80 columns or more."""

import re
import time
from collections.abc import Iterator

import click

from qsuper.cli.printing import columns, cut, printable
from qsuper.cli.rates import rates
from qsuper.config import Config
from qsuper.picture import Child, Job, Picture, Queue, span
from qsuper.picture.picture import CAP
from qsuper.states import ChildState, State

_CHILD_HEAD = ("CHILD", ">PID", "STATE", ">SLICE", ">DONE", ">FAILED", ">MEM", ">RESTARTS", "DOES")
_STATES = (State.READY, State.RUNNING, State.SCHEDULED, State.HELD, State.DONE, State.DEAD)
_QUEUE_HEAD = (
    "QUEUE",
    ">WORKERS",
    *(f">{state.name}" for state in _STATES),
    ">OLDEST",
)
_DAY = 86_400.0
_FOR = re.compile(r" \(for [0-9a-z. ]+\)$")
HARDLY_ANY = 0.1
"""The part of its time-out that a job has left when that begins to be shown."""


def draw(picture: Picture, config: Config, width: int, unix: float) -> Iterator[str]:
    """The lines. Colours are for `click.echo` to take off where nobody sees them."""
    for sentence in sentences(picture, unix):
        yield click.style(f"! {sentence}", fg="red")
    if picture.degraded:
        yield ""
    yield master(picture)
    yield f"  node {config.node.name} ({picture.node}), {config.file or 'no configuration file'}"
    yield from (f"  {line}" for line in rates(picture.minute))
    yield ""
    yield from columns(_CHILD_HEAD, [_child(child) for child in picture.children], width=width)
    yield ""
    yield from columns(_QUEUE_HEAD, [_queue(queue) for queue in picture.queues], width=width)


def sentences(picture: Picture, unix: float) -> Iterator[str]:
    """What is wrong, and since when."""
    if not picture.troubles:
        yield from map(printable, picture.degraded)
    for trouble in picture.troubles:
        text = printable(trouble.text)
        if trouble.since is not None:
            # When it began does not change each second, and says how long, too.
            text = _FOR.sub("", text) + _since(trouble.since, unix)
        yield text


def _since(since: float, unix: float) -> str:
    """` (since 14:03:07)`; with the date where that was not within a day."""
    form = "%H:%M:%S" if abs(unix - since) < _DAY else "%Y-%m-%d %H:%M"
    return f" (since {time.strftime(form, time.localtime(since))})"


def master(picture: Picture) -> str:
    word = "stopping" if picture.stopping else "paused" if picture.paused else "running"
    return f"qsuper {picture.version} {word}: pid {picture.pid}, up {span(picture.up)}"


def _child(child: Child) -> tuple[object, ...]:
    return (
        child.name,
        child.pid,
        child.state,
        child.slice,
        child.done,
        child.failed,
        size(child.memory),
        child.restarts,
        _does(child),
    )


def _does(child: Child) -> str:
    if child.job is not None:
        job = child.job
        far = "" if job.progress is None else f" {job.progress:.0%} {job.progress_text}".rstrip()
        return f"#{job.id} {time_of(job)} {job.task}{far}"
    if child.state == ChildState.RUNNING:
        return child.phase or "-"
    if child.retry_in is not None:
        return f"in {span(child.retry_in)}"
    return cut(child.last_exit, 40) or "-"


def time_of(job: Job) -> str:
    """How long it has run; once its time is nearly over, how long it still has instead: the width
    of a terminal is scarce."""
    if job.ending:
        return "ending"
    if job.time_left is None or job.time_left > HARDLY_ANY * (job.seconds + job.time_left):
        return span(job.seconds)
    return f"{span(job.time_left)} left"


def _queue(queue: Queue) -> tuple[object, ...]:
    return (
        f"{queue.name} (paused)" if queue.paused else queue.name,
        f"{queue.running}/{queue.wanted}",
        *(count(queue.states.get(state.word)) for state in _STATES),
        None if queue.oldest_ready is None else span(queue.oldest_ready),
    )


def count(number: int | None) -> str | None:
    return None if number is None else f"{CAP}+" if number > CAP else str(number)


def size(memory: int | None) -> str | None:
    """`812K`, `23M`, `1.4G`."""
    if memory is None:
        return None
    for unit, letter in ((1024**3, "G"), (1024**2, "M")):
        if memory >= unit:
            number = memory / unit
            return f"{number:.1f}{letter}" if number < 9.95 else f"{number:.0f}{letter}"
    return f"{memory / 1024:.0f}K"
