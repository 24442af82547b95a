"""Many jobs retried or cancelled: a page at a time, each by a short statement of its own."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from qsuper.errors import LiveTwin, NoSuchJob, StoreError, StoreUnavailable
from qsuper.states import FINISHED, State
from qsuper.store import cancelling
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.jumping import first_since
from qsuper.store.locked import run_around_locks
from qsuper.store.position import LAST_ID, Position
from qsuper.store.selection import Selection
from qsuper.store.threads import Threads
from qsuper.store.walking import Walk

TOLD_MOST = 20
"""Jobs that a tally names; the others it counts."""
REST_MOST = 0.5
"""Seconds."""
WAITING = (State.SCHEDULED, State.HELD, State.READY)
"""In the order in which a job goes through them, so that a walk does not miss what moves on."""

_OF_PAGE = "WHERE id IN {ids} AND {status} = :expected"
_REVIVE = Statement(f"{cancelling.REVIVE} {_OF_PAGE}")
_CANCEL = Statement(f"{cancelling.CANCEL} {_OF_PAGE}")
_MARK = Statement(f"{cancelling.MARK} {_OF_PAGE} AND cancel = 0")
_TWINS = Statement(
    """
    SELECT queue.id, MIN(twin.id) FROM queue JOIN queue twin ON {twin}
    WHERE queue.id IN {ids} GROUP BY queue.id
    """
)


@dataclass(slots=True)
class Tally:
    """What has come of it so far."""

    found: int = 0
    moved: int = 0
    twins: int = 0
    """Could not be retried: a live job has the name, or one that was retried before."""
    first: list[int] = field(default_factory=list)
    """The first of those found."""
    first_twins: list[tuple[int, int]] = field(default_factory=list)
    """The first that could not be, each with its twin."""
    marked: list[int] = field(default_factory=list)
    """All the running jobs that are to be ended."""

    def add_twin(self, job_id: int, twin: int) -> None:
        self.twins += 1
        if len(self.first_twins) < TOLD_MOST:
            self.first_twins.append((job_id, twin))


Move = Callable[[Connection, State, list[int], Tally], int]
"""Moves those of `ids` that still are in that state; returns how many."""


class Round:
    """One move made with every job that fits: see `pages`, or call `step` until it
    answers False.

    Where jobs since a moment are chosen, those that were enqueued since come first: the most are
    among them. Older ones follow, for they may have finished since.
    """

    def __init__(
        self,
        selection: Selection,
        states: tuple[State, ...],
        move: Move | None,
        begin: Position | None = None,
    ) -> None:
        """`move` is `retry` or `cancel`; None only looks. `begin` is the position of another round
        through the same jobs."""
        self.tally = Tally()
        self._selection = selection
        self._states = states
        self._begin = begin
        self._young = 0 if begin is None else begin.young
        self._number = 0
        self._walks: list[Walk] | None = None
        """Those ahead, the one it is in at the end; None before the first step."""
        self._move = move
        self._taken: dict[Any, int] = {}
        """Who has, or would have, a name since this round."""

    @property
    def moves(self) -> bool:
        return self._move is not None

    @property
    def position(self) -> Position | None:
        """How far it has come; None before the first page, and at the end."""
        walks = self._walks or []
        spot = walks[-1].spot if walks else None
        return None if spot is None else Position(self._number - len(walks), self._young, spot)

    def step(self, connection: Connection) -> bool:
        """Deal with one page; False when none was left. After an error it may be called again:
        what was moved does not fit any more."""
        if self._walks is None:
            self._walks = self._plan(connection)
        while self._walks and not self._walks[-1].page(connection):
            self._walks.pop()
        if not self._walks:
            return False
        walk, tally = self._walks[-1], self.tally
        rows = walk.fitting(connection, "queue.id, queue.name")
        names = {job_id: name for job_id, name in rows if name is not None}
        twins = self._twins(connection, names) if walk.state in FINISHED else {}
        free = [job_id for job_id, _ in rows if job_id not in twins]
        if self._move is not None and free:
            tally.moved += self._move(connection, walk.state, free, tally)
        tally.found += len(rows)
        tally.first += [job_id for job_id, _ in rows[: TOLD_MOST - len(tally.first)]]
        for job_id, twin in twins.items():
            tally.add_twin(job_id, twin)
        self._taken |= {names[job_id]: job_id for job_id in free if job_id in names}
        walk.go_on()
        return True

    def _plan(self, connection: Connection) -> list[Walk]:
        begin, since = self._begin, self._selection.since
        if begin is None and since is not None:
            self._young = first_since(connection, since) or 0
        parts = [(self._young, LAST_ID)] + [(0, self._young - 1)] * (self._young > 0)
        walks = [
            Walk(replace(self._selection, state=state), first, last)
            for first, last in parts
            for state in self._states
        ]
        self._number = len(walks)
        if begin is not None:
            walks = walks[begin.walk :]
            if walks:
                walks[0].begin = begin.spot
        return walks[::-1]

    def _twins(self, connection: Connection, names: dict[int, Any]) -> dict[int, int]:
        """Who of these finished jobs cannot live again, and because of whom."""
        if not names:
            return {}
        twins = {row[0]: int(row[1]) for row in connection.rows(_TWINS, ids=list(names))}
        taken = dict(self._taken)
        for job_id, name in names.items():
            first = taken.setdefault(name, job_id)
            if first != job_id:
                twins.setdefault(job_id, first)
        return twins


def pages(threads: Threads, round: Round) -> Iterator[Tally]:
    """Go through all of it, a page each turn. Pages whose rows are locked are tried again a while.

    After a page that wrote it rests for as long as that took: SQLite lets in who comes first, and
    whoever has to wait for its lock comes late.
    """
    while True:
        began = time.monotonic()
        if not threads.do(round.step):
            return
        took = time.monotonic() - began
        yield round.tally
        if round.moves:
            time.sleep(min(took, REST_MOST))


def retry(connection: Connection, state: State, ids: list[int], tally: Tally) -> int:
    """Give finished jobs a fresh set of attempts. Those whose name was taken in this very moment
    are told in the tally."""
    try:
        return run_around_locks(connection, _REVIVE, ids, state, expected=int(state))
    except StoreUnavailable:
        raise
    except StoreError:
        # One name that is taken undoes the page.
        return sum(_retried(connection, state, job_id, tally) for job_id in ids)


def _retried(connection: Connection, state: State, job_id: int, tally: Tally) -> bool:
    try:
        return cancelling.revive(connection, job_id) is state
    except NoSuchJob:
        return False
    except LiveTwin:
        if twin := cancelling.twin_of(connection, job_id):
            tally.add_twin(job_id, twin)
        return False


def cancel(connection: Connection, state: State, ids: list[int], tally: Tally) -> int:
    """Take waiting jobs back. Running ones are to be ended: those are only in the tally, for they
    are cancelled later."""
    if state is not State.RUNNING:
        return run_around_locks(connection, _CANCEL, ids, state, expected=int(state))
    run_around_locks(connection, _MARK, ids, state, expected=int(state))
    tally.marked += ids
    return 0
