"""The keeper's count each second: how deep the queues are, what the last minute came to."""

import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qsuper.errors import ScoreboardError
from qsuper.history import Gauges, History, Sums
from qsuper.roles.role import Role
from qsuper.scoreboard import (
    OUTCOMES,
    PHASES,
    QUEUES_MOST,
    Scoreboard,
    Spread,
    clock,
    no_runs,
    no_waits,
)
from qsuper.states import State
from qsuper.store import counting, ledger
from qsuper.store.database import Connection

_QUICK = (State.READY, State.RUNNING, State.SCHEDULED, State.HELD)
_SLOW = (State.DONE, State.DEAD, State.CANCELLED)
_SLOW_EVERY = 10
"""Seconds between two counts of finished rows of a queue that has very many."""
MINUTE = 60
DUE_MOST = 5
"""Rows of each queue, and watched keys, that are looked at for what falls due next."""
NAME_MOST = 200
SOON = 40
"""Those of them that are told."""

log = logging.getLogger("qsuper.keeper")


@dataclass(slots=True)
class _Sum:
    """What the meters showed at one moment."""

    at: float
    """By the scoreboard's clock."""
    outcomes: list[int] = field(default_factory=lambda: [0] * len(OUTCOMES))
    runs: Spread = field(default_factory=no_runs)
    waits: dict[int, Spread] = field(default_factory=dict)
    """By the index of a queue."""


class Counts:
    """Called each second."""

    def __init__(self) -> None:
        self._number = 0
        self._finished: dict[str, dict[str, int]] = {}
        self._sums: deque[_Sum] = deque()
        self._history: History | None = None
        self._no_history = False

    def __call__(self, keeper: Role, connection: Connection) -> None:
        names = self._names(keeper, connection)
        counted = counting.depths(connection, names, _QUICK)
        self._count_finished(connection, names)
        unix = time.time()
        queues: list[dict[str, Any]] = [
            {
                "queue": name,
                "states": counted[name] | self._finished[name],
                "oldest_ready": (
                    counting.oldest_ready(connection, name)
                    if counted[name][State.READY.word]
                    else None
                ),
            }
            for name in names
        ]
        waiting = [name for name in keeper.config.queues if counted[name][State.SCHEDULED.word]]
        self._sums.append(_sum(keeper.board, clock()))
        while self._sums[-1].at - self._sums[0].at > MINUTE + 1:
            self._sums.popleft()
        self._remember(keeper, queues, unix)
        self._number += 1
        bulletin = {
            "queues": queues,
            "due": sorted(_due(keeper, connection, waiting), key=lambda due: due["at"])[:SOON],
            "minute": self._minute(keeper.board),
            "posted": unix,
        }
        try:
            keeper.board.bulletin("keeper").post(bulletin)
        except ScoreboardError:
            # Hundreds of queues with long names; those of others are the first to do without.
            own = [queue for queue in queues if queue["queue"] in keeper.config.queues]
            keeper.board.bulletin("keeper").post(bulletin | {"queues": own})

    def _names(self, keeper: Role, connection: Connection) -> list[str]:
        known = set(keeper.config.queues).union(self._finished)
        if self._number % _SLOW_EVERY == 0:
            known = set(keeper.config.queues).union(counting.queue_names(connection))
        return sorted(known)

    def _count_finished(self, connection: Connection, names: Iterable[str]) -> None:
        """Finished rows, of which there may be many, less often."""
        empty = {"": 0}
        slow = self._number % _SLOW_EVERY == 0
        again = [
            name
            for name in names
            if slow or max(self._finished.get(name, empty).values()) < counting.CAP
        ]
        if slow:
            self._finished.clear()
        self._finished |= counting.depths(connection, again, _SLOW)

    def _remember(self, keeper: Role, queues: list[dict[str, Any]], unix: float) -> None:
        """Into the history, what has been added since the last second."""
        if self._history is None and not self._no_history:
            try:
                self._history = History.keep(Path(keeper.config.state_dir) / "history")
            except OSError as error:
                self._no_history = True
                log.warning("the last hour and day are not kept: %s", error)
        if self._history is None:
            return
        gauges = Gauges(
            ready=sum(queue["states"][State.READY.word] for queue in queues),
            oldest=max((queue["oldest_ready"] or 0.0 for queue in queues), default=0.0),
            wanted=sum(queue.wanted for queue in keeper.board.queues()),
            running=_working(keeper.board),
        )
        sums = _difference(self._sums[-1], _Sum(0.0))
        self._history.add(sums, gauges, master=keeper.board.header.started, unix=unix)

    def _minute(self, board: Scoreboard) -> dict[str, Any]:
        now, before = self._sums[-1], self._sums[0]
        more = _difference(now, before)
        queues = {queue.name: index for index, queue in enumerate(board.queues())}
        return {
            "seconds": now.at - before.at,
            "outcomes": dict(zip(OUTCOMES, more.outcomes, strict=True)),
            "runs": _words(more.runs),
            "waits": {
                name: _words(now.waits[index] - before.waits.get(index, no_waits()))
                for name, index in queues.items()
                if index in now.waits
            },
        }


def _sum(board: Scoreboard, unix: float) -> _Sum:
    found = _Sum(unix)
    for subject, reading in board.counts().items():
        for task in reading.tasks.values():
            found.runs.add(task.runs)
            found.outcomes = [a + b for a, b in zip(found.outcomes, task.outcomes, strict=True)]
        if subject < QUEUES_MOST:
            found.waits[subject] = reading.waits
    return found


def _difference(now: _Sum, before: _Sum) -> Sums:
    waits = no_waits()
    for index, spread in now.waits.items():
        waits.add(spread - before.waits.get(index, no_waits()))
    outcomes = [a - b for a, b in zip(now.outcomes, before.outcomes, strict=True)]
    return Sums(outcomes, waits, now.runs - before.runs)


def _words(spread: Spread) -> dict[str, Any]:
    return {"counts": spread.counts, "microseconds": spread.microseconds}


def _working(board: Scoreboard) -> int:
    booting = PHASES.index("booting")
    return sum(
        record.queue >= 0 and not record.ended and record.phase != booting
        for record in board.records()
    )


def _due(keeper: Role, connection: Connection, queues: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for queue in queues:
        found += [
            {
                "at": row.at,
                "what": "job",
                "name": (row.name or "")[:NAME_MOST],
                "task": row.task,
                "queue": queue,
                "id": row.id,
            }
            for row in counting.next_due(connection, queue, DUE_MOST)
        ]
    if keeper.config.redis.url is not None:
        found += [
            {
                "at": entry.deadline / 1000,
                "what": "key",
                "name": entry.key.name[:NAME_MOST].decode("utf-8", "backslashreplace"),
                "task": "",
                "queue": "",
                "id": None,
            }
            for entry in ledger.next_due(connection, DUE_MOST)
        ]
    return found
