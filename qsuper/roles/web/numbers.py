"""The numbers of a picture with their labels, no more of these than a monitoring system bears."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from qsuper.picture import Histogram, Picture, Queue, TaskTotals
from qsuper.picture.trouble import STALE
from qsuper.scoreboard.meter import OTHERS
from qsuper.states import ChildState

MOST = 200
"""Queues, and tasks, that are told apart; what comes after them is told together, as `OTHERS`."""

Labels = tuple[str, ...]
Numbers = Iterator[tuple[Labels, float]]
Histograms = Iterator[tuple[Labels, Histogram]]


def latency(picture: Picture) -> Numbers:
    for queue in _queues(picture):
        if queue.states:
            yield (queue.name,), queue.oldest_ready or 0.0


def jobs(picture: Picture) -> Numbers:
    for queue in _queues(picture):
        for state, count in queue.states.items():
            yield (queue.name, state), count


def workers(picture: Picture) -> Numbers:
    found = Counter(
        (child.queue, child.state) for child in picture.children if child.queue is not None
    )
    for queue in _queues(picture):
        if queue.wanted or any(name == queue.name for name, _ in found):
            for state in ChildState:
                yield (queue.name, state), found[queue.name, state]


def workers_wanted(picture: Picture) -> Numbers:
    for queue in _queues(picture):
        yield (queue.name,), queue.wanted


def queue_paused(picture: Picture) -> Numbers:
    for queue in _queues(picture):
        yield (queue.name,), queue.paused


def attempts(picture: Picture) -> Numbers:
    for name, task in _tasks(picture).items():
        for outcome, count in task.outcomes.items():
            yield (name, outcome), count


def runs(picture: Picture) -> Histograms:
    for name, task in _tasks(picture).items():
        yield (name,), task.ran


def waits(picture: Picture) -> Histograms:
    return _by_name(picture.totals.waits)


def lateness(picture: Picture) -> Histograms:
    return _by_name(picture.totals.lateness)


def exits(picture: Picture) -> Numbers:
    for cause, count in picture.totals.exits.items():
        yield (cause,), count


def counter(name: str) -> Callable[[Picture], Numbers]:
    """One of `scoreboard.COUNTERS`."""

    def read(picture: Picture) -> Numbers:
        yield (), picture.totals.counters[name]

    return read


def degraded(picture: Picture) -> Numbers:
    for kind, count in Counter(trouble.kind for trouble in picture.troubles).items():
        yield (kind,), count


def memory(picture: Picture) -> Numbers:
    for child in picture.children:
        if child.memory is not None:
            yield (child.name,), child.memory


def up(picture: Picture) -> Numbers:
    yield (), picture.posted_ago is not None and picture.posted_ago <= STALE


def paused(picture: Picture) -> Numbers:
    yield (), picture.paused


def lease_left(picture: Picture) -> Numbers:
    if picture.lease_left is not None:
        yield (), picture.lease_left


def count_age(picture: Picture) -> Numbers:
    if picture.counted_ago is not None:
        yield (), picture.counted_ago


def started(picture: Picture) -> Numbers:
    yield (), picture.started


def build(picture: Picture) -> Numbers:
    yield (picture.version, picture.node), 1


def _by_name(found: Mapping[str, Histogram]) -> Histograms:
    for name, histogram in found.items():
        yield (name,), histogram


def _queues(picture: Picture) -> Iterable[Queue]:
    """The node's own come first; of those that only have rows anybody may have made up names."""
    if len(picture.queues) <= MOST:
        return picture.queues
    told, others = picture.queues[: MOST - 1], picture.queues[MOST - 1 :]
    states: Counter[str] = Counter()
    for queue in others:
        states.update(queue.states)
    oldest = max((queue.oldest_ready or 0.0 for queue in others), default=0.0)
    together = replace(
        others[0],
        name=OTHERS,
        states=dict(states),
        oldest_ready=oldest,
        wanted=sum(queue.wanted for queue in others),
        paused=any(queue.paused for queue in others),
    )
    return (*told, together)


def _tasks(picture: Picture) -> Mapping[str, TaskTotals]:
    """Those that ran most often keep their names."""
    tasks = picture.totals.tasks
    if len(tasks) <= MOST:
        return tasks
    names = sorted(tasks, key=lambda name: (-sum(tasks[name].outcomes.values()), name))
    told = {name: tasks[name] for name in names if name != OTHERS}
    others = [told.pop(name) for name in list(told)[MOST - 1 :]]
    if OTHERS in tasks:
        others.append(tasks[OTHERS])
    return told | {OTHERS: _together(others)}


def _together(tasks: list[TaskTotals]) -> TaskTotals:
    outcomes: Counter[str] = Counter()
    for task in tasks:
        outcomes.update(task.outcomes)
    counts = [sum(column) for column in zip(*(task.ran.counts for task in tasks), strict=True)]
    seconds = sum(task.ran.seconds for task in tasks)
    return TaskTotals(dict(outcomes), Histogram(tasks[0].ran.bounds, tuple(counts), seconds))
