"""The slow chores, which must not delay the scheduler: counting, rescuing, pruning."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from qsuper import logs
from qsuper.place import Place
from qsuper.roles import deaths, lease
from qsuper.roles.counts import Counts
from qsuper.roles.rescuing import free_the_unknown, rescue_the_lost
from qsuper.roles.role import Role
from qsuper.roles.schedule_chore import ScheduleChore
from qsuper.roles.survivors import TIME_TO_LEAVE, end_survivors
from qsuper.states import State
from qsuper.store import ledger, pruning
from qsuper.store.database import Connection

_PRUNE_REST = 600.0
"""Seconds between two walks over the whole table."""
_FORGET_REST = 60.0
_FORGET_AFTER = 3600.0
"""Seconds for which the ledger keeps a key that is over: a listener that is behind may ask."""
_DAY = 86_400.0


@dataclass(slots=True)
class Chore:
    """Something done every so often; idempotent, for every node does it."""

    every: float
    do: Callable[["Keeper", Connection], None]
    next: float = 0.0


class Keeper(Role):
    """A chore is one method and one line in `chores`."""

    time_to_leave = TIME_TO_LEAVE

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._walk = pruning.Pruning()
        self._prune_at = 0.0
        self._forget_at = 0.0
        keep = self.config.job.keep_days
        self._keep = {
            State.DONE: keep.done * _DAY,
            State.DEAD: keep.dead * _DAY,
            State.CANCELLED: keep.cancelled * _DAY,
        }
        self.chores = (
            Chore(1.0, Counts()),
            Chore(1.0, Keeper.stand_in),
            Chore(5.0, Keeper.rescue),
            Chore(1.0, Keeper.prune),
            Chore(1.0, Keeper.forget),
            Chore(3600.0, Keeper.remove_old_logs),
            Chore(1.0, ScheduleChore()),
        )

    def tick(self, now: float) -> float | None:
        connection = self.connection()
        if self.order or self.record.order:
            return None
        for chore in self.chores:
            if now >= chore.next:
                chore.do(self, connection)
                chore.next = now + chore.every
        if self.record.phase != 1:
            self.record.describe(phase="idle")
        return max(0.05, min(chore.next for chore in self.chores) - now)

    def farewell(self) -> None:
        end_survivors(self.place)

    def stand_in(self, connection: Connection) -> None:
        """Do the scheduler's most urgent chores when it is late with them."""
        now = self.record.beat
        if now - self.board.header.looked > 1.0:
            deaths.settle_the_dead(self.place, connection)
        if self.board.header.renewed and lease.due(self.place, now, lateness=1.3):
            lease.renew(self.place, connection)

    def rescue(self, connection: Connection) -> None:
        rescue_the_lost(self.place, connection)
        free_the_unknown(self.place, connection)

    def prune(self, connection: Connection) -> None:
        """A few steps of the walk each second; a rest at its end."""
        if self.record.beat < self._prune_at:
            return
        for _ in range(5):
            pruning.step(connection, self._walk, self._keep)
            if self._walk.ended:
                self._walk = pruning.Pruning()
                self._prune_at = self.record.beat + _PRUNE_REST
                return

    def forget(self, connection: Connection) -> None:
        """A page of watched keys that are over each second; a rest when there are no more."""
        if self.record.beat < self._forget_at:
            return
        before = int((time.time() - _FORGET_AFTER) * 1000)
        if ledger.forget(connection, before) < ledger.PAGE:
            self._forget_at = self.record.beat + _FORGET_REST

    def remove_old_logs(self, _connection: Connection) -> None:
        if self.config.log.dir != "-":
            logs.remove_old(
                self.config.log.dir, self.config.log.keep_days, datetime.now().astimezone().date()
            )
