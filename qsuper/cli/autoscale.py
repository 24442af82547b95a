"""What the autoscale does, for people and for machines."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from msgspec import to_builtins

from qsuper.cli.printing import printable
from qsuper.config import Config, QueueConfig
from qsuper.picture import CAP, Decision, Picture, Queue, span
from qsuper.states import State


def describe(config: Config, picture: Picture) -> dict[str, Any]:
    """Each queue of this node and the last decisions, the newest last; times are Unix times."""
    return {
        "queues": [
            {
                "queue": queue.name,
                "workers": queue.wanted,
                "asked": picture.scaled.get(queue.name),
                "ready": queue.states.get(State.READY.word),
                "oldest_ready": queue.oldest_ready,
                "autoscale": _bounds(config.queues[queue.name]),
            }
            for queue in _own(config, picture)
        ],
        "decisions": [asdict(decision) for decision in picture.decisions],
    }


def _bounds(queue: QueueConfig) -> dict[str, Any] | None:
    """The bounds of a queue; None when it has a fixed number of workers."""
    if queue.autoscale is None:
        return None
    bounds: dict[str, Any] = to_builtins(queue.autoscale)
    return bounds


def explanation(config: Config, picture: Picture) -> Iterator[str]:
    """The same in lines."""
    for queue in _own(config, picture):
        yield _standing(config.queues[queue.name], queue, picture.scaled.get(queue.name))
    yield ""
    if not picture.decisions:
        yield "nothing decided yet"
    for decision in picture.decisions:
        yield _line(decision)


def _own(config: Config, picture: Picture) -> list[Queue]:
    return [queue for queue in picture.queues if queue.name in config.queues]


def _standing(configured: QueueConfig, queue: Queue, asked: int | None) -> str:
    have = f"{queue.name}: {queue.wanted} worker{'' if queue.wanted == 1 else 's'}"
    if asked is not None:
        return f"{have}, as somebody asked; `qsuper scale {queue.name}=auto` takes that back"
    bounds = configured.autoscale
    if bounds is None:
        return f"{have}, as configured"
    ready = queue.states.get(State.READY.word, 0)
    jobs = f"{CAP:,}+" if ready > CAP else f"{ready:,}"
    waits = f"the oldest of {jobs} ready jobs waits {span(queue.oldest_ready or 0.0)}"
    within = f"{bounds.min} to {bounds.max} as the backlog needs"
    return f"{have}, {within}; {waits if ready else 'nothing waits'}, wanted is {span(bounds.wait)}"


def _line(decision: Decision) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(decision.at))
    if decision.before == decision.after:
        return f"{at}  {decision.queue} stays at {decision.after}, {printable(decision.why)}"
    step = f"{decision.before} -> {decision.after}"
    return f"{at}  {decision.queue} {step}: {printable(decision.why)}"
