"""Turns time into wake-ups: promotes what is due, wakes workers, settles deaths, beats."""

import os
from contextlib import suppress

from qsuper.errors import StoreError
from qsuper.exits import Exit
from qsuper.place import Place
from qsuper.roles import deaths, lease
from qsuper.roles.marks import post_marks
from qsuper.roles.role import Role
from qsuper.roles.survivors import TIME_TO_LEAVE, end_survivors
from qsuper.roles.unholding import Unholder
from qsuper.scoreboard import PHASES, clock
from qsuper.store import looking, nodes, pausing, settling
from qsuper.store.database import Connection
from qsuper.store.looking import PROMOTE_MOST, Promoter, Watcher

LOOK = 0.0225
"""Seconds between two looks while a worker is idle: what a foreign INSERT waits at most."""
LOOK_BUSY = 2 * LOOK
"""The same while all workers are busy: only for what falls due. Whether they still are is looked
at on the scoreboard every `LOOK`."""
PROMOTE_FOR = 0.25
"""Seconds for which due rows are promoted before the other duties have their turn."""
CHORES = 1.0
PAUSES = 0.4
"""Seconds between two looks at which queues are paused: nothing begins a second later."""
_IDLE = PHASES.index("idle")


class Scheduler(Role):
    """One of the two children that any node needs; stops last."""

    time_to_leave = TIME_TO_LEAVE

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._queues = {queue.name: queue for queue in self.board.queues()}
        self._places = {name: place for place, name in enumerate(self._queues)}
        self._watcher = Watcher(list(self._queues))
        self._promoter = Promoter()
        self._unholder = Unholder()
        self._chores_at = 0.0
        self._pauses_at = 0.0
        self._wanted: list[int] = []
        self._seen: int | None = None
        self._look_at = 0.0
        self._due_at: float | None = None
        self._promoted: dict[str, int] = {}

    def tick(self, now: float) -> float | None:
        connection = self.connection()
        wanted = [queue.wanted for queue in self._queues.values()]
        if wanted != self._wanted or lease.due(self.place, now):
            lease.renew(self.place, connection)
            self._wanted = wanted
        if deaths.settle_the_dead(self.place, connection):
            self._seen = None
            self._unholder.hurry()
        if now - self._pauses_at >= PAUSES:
            self._pauses_at = now
            self._obey_pauses(connection)
        if now - self._chores_at >= CHORES:
            self._chores_at = now
            self._chores(connection)
        if self._unholder.tick(connection, now):
            self._seen = None
        if self.order or self.record.order:
            return None
        if self.board.header.queues != len(self._queues):
            # A reload has added one: a fresh scheduler looks at it, too.
            self.exit = Exit.RECYCLED
            return None
        if now >= self._look_at or self._is_due(now) or self._idle_workers():
            seen = looking.changes(connection)
            if seen is None or seen != self._seen or self._is_due(now):
                self._seen = None
                self._look(connection)
                # Only now: a look that failed must be made again.
                self._seen = seen
            self._look_at = now + LOOK_BUSY
        self.board.header.looked = now
        if self.record.phase != _IDLE:
            self.record.describe(phase="idle")
        return LOOK if self._due_at is None else max(0.0, min(LOOK, self._due_at - clock()))

    def trouble(self, error: StoreError) -> None:
        super().trouble(error)
        # The number means nothing on another connection.
        self._seen = None

    def leave(self) -> None:
        header = self.board.header
        if not any(record.ended and not record.settled for record in self.board.records()):
            nodes.leave(self.connection(), header.node, header.nonce)

    def farewell(self) -> None:
        end_survivors(self.place)

    def _chores(self, connection: Connection) -> None:
        """Once a second: post cancel marks, free claims that committed after their
        worker's death, and look whatever has been written, for the database's clock may have been
        set."""
        self._seen = None
        post_marks(self.place, connection)
        for name in self._queues:
            settling.sweep(connection, name, self.board.header.nonce, self._unsettled)

    def _obey_pauses(self, connection: Connection) -> None:
        paused = pausing.paused_queues(connection)
        for name, queue in self._queues.items():
            queue.paused = int(name in paused)

    def _unsettled(self) -> frozenset[str]:
        """Workers that live, or whose death has yet to be settled."""
        return frozenset(
            record.worker
            for record in self.board.records()
            if not (record.ended and record.settled)
        )

    def _idle_workers(self) -> dict[int, int]:
        """Idle workers by queue index."""
        idle: dict[int, int] = {}
        for record in self.board.records():
            if record.queue >= 0 and record.phase == _IDLE and not record.ended:
                idle[record.queue] = idle.get(record.queue, 0) + 1
        return idle

    def _is_due(self, now: float) -> bool:
        return self._due_at is not None and now >= self._due_at

    def _look(self, connection: Connection) -> None:
        sights = self._watcher.look(connection)
        # Read after the look: the rest may end a moment after what is due, never before it.
        looked = clock()
        for name, sight in sights.items():
            # For those that the last look has promoted, workers are on their way.
            self._wake(name, sight.ready - self._promoted.get(name, 0))
        overdue = [name for name, sight in sights.items() if sight.overdue]
        late = {name: -(sight.due_in or 0.0) for name, sight in sights.items()}
        self._promoted = self._promote(connection, overdue)
        for name, count in self._promoted.items():
            # As late as the one that was the latest.
            if count:
                self.meter.late(late[name] + clock() - looked, count)
        # What is overdue and was not promoted is somebody's, or another node was quicker.
        waits = [
            LOOK if sight.overdue else sight.due_in
            for sight in sights.values()
            if sight.due_in is not None
        ]
        if any(self._promoted.values()):
            waits = [0.0]
        self._due_at = looked + min(waits) if waits else None

    def _promote(self, connection: Connection, queues: list[str]) -> dict[str, int]:
        """Batch after batch, the queues in turn, for as long as it may take; how many of each."""
        promoted = dict.fromkeys(queues, 0)
        ends = clock() + PROMOTE_FOR
        while queues:
            full = []
            for name in queues:
                count = self._promoter.promote(connection, name, clock())
                self._wake(name, count)
                promoted[name] += count
                if count == PROMOTE_MOST:
                    full.append(name)
            queues = full if clock() < ends else []
        return promoted

    def _wake(self, name: str, ready: int) -> None:
        """A byte for each ready row that an idle worker could take."""
        queue = self._queues[name]
        idle = self._idle_workers().get(self._places[name], 0) if ready > 0 else 0
        if idle and not queue.paused:
            with suppress(BlockingIOError):
                os.write(queue.wake_write, b"!" * min(ready, idle))
