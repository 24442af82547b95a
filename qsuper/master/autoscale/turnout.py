"""Who turned out for work: the workers of a queue, and what they have done."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from qsuper.master.child import Child
from qsuper.scoreboard import PHASES
from qsuper.states import ChildState

_FAILING = (ChildState.BACKOFF, ChildState.FATAL)


@dataclass(frozen=True, slots=True)
class Turnout:
    """The workers of one queue on this node, those about to leave not counted."""

    running: int = 0
    """Past their start."""
    failing: int = 0
    """Without a process, because the last one ended badly."""
    busy: int = 0
    """With a job under way at this moment."""
    worked: int = 0
    """Busy now, or through with some job since the last look."""
    finished: int = 0
    """Jobs that have ended since the first look, whoever ran them. Only grows."""


class Turnouts:
    """Counts them, from look to look."""

    def __init__(self) -> None:
        self._ended: dict[tuple[int, float], int] = {}
        self._finished: Counter[str] = Counter()

    def take(self, children: Iterable[Child]) -> dict[str, Turnout]:
        """The turnout of each queue that has a child now."""
        ended: dict[tuple[int, float], int] = {}
        running: Counter[str] = Counter()
        failing: Counter[str] = Counter()
        busy: Counter[str] = Counter()
        worked: Counter[str] = Counter()
        queues = set()
        for child in children:
            if child.queue is None:
                continue
            queues.add(child.queue)
            stays = not child.retiring and child.replaces is None
            failing[child.queue] += stays and child.state in _FAILING
            if child.record is None:
                continue
            record = child.record
            process = record.slot, record.spawned
            ended[process] = record.done + record.failed
            fresh = ended[process] - self._ended.get(process, 0)
            self._finished[child.queue] += fresh
            if stays:
                now_busy = PHASES[record.phase] == "busy"
                running[child.queue] += child.state is ChildState.RUNNING
                busy[child.queue] += now_busy
                worked[child.queue] += now_busy or fresh > 0
        self._ended = ended
        return {
            name: Turnout(
                running[name], failing[name], busy[name], worked[name], self._finished[name]
            )
            for name in queues
        }
