"""The queues."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from qsuper.cli.drawing import count
from qsuper.cli.printing import columns, cut
from qsuper.cli.rates import brief, per_second
from qsuper.cli.screen.section import Section
from qsuper.picture import CAP, Minute, Picture, Queue
from qsuper.states import State

_NAME_MOST = 14
_WIDE = 100
"""Columns from which on names are shown whole, and all states."""
_TITLES = {State.SCHEDULED: "SCHED"}
_NARROW_STATES = (State.READY, State.RUNNING, State.SCHEDULED, State.DEAD)
_ALL_STATES = (
    State.READY,
    State.RUNNING,
    State.SCHEDULED,
    State.HELD,
    State.DONE,
    State.DEAD,
)


def queues(picture: Picture, width: int) -> Section:
    """One row each; where not all fit, first those whose jobs have waited longest."""
    wide = width >= _WIDE
    # What hardly anybody uses has a column where somebody does.
    held = any(queue.states.get(State.HELD.word) for queue in picture.queues)
    narrow = (*_NARROW_STATES, State.HELD) if held else _NARROW_STATES
    name_most = width // 3 if wide else _NAME_MOST
    table = _Table(
        picture.minute, _ALL_STATES if wide else narrow, name_most, waits=wide or not held
    )
    rows = [table.row(queue) for queue in picture.queues]
    head, *lines = columns(table.head(), rows, width=width)
    texts = [
        Text(line, style="yellow" if queue.paused else "")
        for queue, line in zip(picture.queues, lines, strict=True)
    ]
    ranks = [-(queue.oldest_ready or 0.0) for queue in picture.queues]
    return Section([Text(head, style="dim")], texts, least=3, ranks=ranks, rest=_rest)


class _Table:
    """What there is room for."""

    def __init__(
        self, minute: Minute, states: Sequence[State], name_most: int, waits: bool
    ) -> None:
        self._minute = minute
        self._states = states
        self._name_most = name_most
        self._waits = waits

    def head(self) -> tuple[str, ...]:
        titles = (f">{_TITLES.get(state, state.name)}" for state in self._states)
        last = (">WAIT",) if self._waits else ()
        return "QUEUE", ">WORKERS", *titles, ">OLDEST", ">BEGIN", *last

    def row(self, queue: Queue) -> tuple[object, ...]:
        return (
            cut(queue.name, self._name_most),
            "paused" if queue.paused else f"{queue.running}/{queue.wanted}",
            *(_count(queue.states.get(state.word)) for state in self._states),
            None if queue.oldest_ready is None else brief(queue.oldest_ready),
            *self._last_minute(queue),
        )

    def _last_minute(self, queue: Queue) -> Iterator[str | None]:
        waits = self._minute.waits.get(queue.name)
        seconds = self._minute.seconds
        yield per_second(waits.count / seconds if waits else 0.0) if seconds else None
        if self._waits:
            yield brief(waits.percentile(0.95)) if waits else None


def _count(number: int | None) -> str | None:
    return "10k+" if number is not None and number > CAP else count(number)


def _rest(hidden: Sequence[int]) -> str:
    return f"and {len(hidden)} more queues whose jobs have not waited longer"
