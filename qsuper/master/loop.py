"""The master's loop: each turn compares what is wanted with what lives, and acts on that."""

import logging
import math
import selectors
from pathlib import Path

from qsuper.master import output, report
from qsuper.master.control import Control
from qsuper.master.crew import Crew
from qsuper.master.graves import Graves
from qsuper.master.limits import Limits
from qsuper.master.meanings import obey
from qsuper.master.notices import Notices
from qsuper.master.orders import Orders
from qsuper.master.signals import Signals
from qsuper.master.standby import Standby
from qsuper.scoreboard import Scoreboard, clock
from qsuper.states import ChildState

IDLE_TURN = 0.5
"""Seconds between two turns of a master to whom nothing happens."""
QUICK_TURN = 0.05
"""Seconds between two turns while something is awaited that nobody reports."""
CHORES_EVERY = 1.0
LEASE_LOST = "the lease could not be renewed: workers wait until the database answers again"
CRASHES_MOST = 5
"""In a row, after which a master that runs once gives up."""

log = logging.getLogger("qsuper.master")


class Loop:
    """Runs until the stop is over."""

    def __init__(
        self,
        board: Scoreboard,
        crew: Crew,
        graves: Graves,
        orders: Orders,
        standby: Standby,
        notices: Notices,
        *,
        once: bool,
    ) -> None:
        self._board = board
        self._crew = crew
        self._graves = graves
        self._orders = orders
        self._standby = standby
        self._notices = notices
        self._once = once
        self._limits = Limits(board.header)
        self._unsettled = 0
        self._chores_at = -math.inf

    def run(self, selector: selectors.BaseSelector, signals: Signals, control: Control) -> int:
        """Turn until nothing is left to do; the exit code."""
        while True:
            for number in signals.take():
                obey(self._orders, number)
            now = clock()
            if (code := self._turn(now)) is not None:
                return code
            control.expire(now)
            for key, _ in selector.select(self._pause(clock())):
                key.data()

    def _turn(self, now: float) -> int | None:
        """One comparison; the exit code once all is over."""
        crew, orders = self._crew, self._orders
        crew.reap(now)
        crew.note_boots(now)
        self._unsettled = self._graves.settle()
        self._limits.enforce(crew, now)
        orders.messages.say("lease", LEASE_LOST if self._limits.lease_lost else "")
        if orders.roll is not None:
            orders.roll.step(now)
            if orders.roll.over:
                orders.messages.say("reload", orders.roll.trouble)
                orders.roll = None
        if self._once:
            self._end_when_done()
        else:
            orders.autoscale(self._board, now, held=self._limits.lease_lost)
        crew.balance(orders.wanted(), now, held=self._limits.lease_lost)
        if now - self._chores_at >= CHORES_EVERY:
            self._chores_at = now
            self._do_chores()
        report.post(
            self._board,
            crew,
            orders.workers(),
            orders.remembered(),
            orders.messages,
            orders.autoscaler.decisions,
        )
        self._notices.turn(crew, orders, now)
        if orders.ending is None:
            return None
        orders.ending.step(crew, self._unsettled, now)
        return orders.ending.code if orders.ending.over and not self._graves.open else None

    def _do_chores(self) -> None:
        output.cap(Path(self._orders.config.state_dir))
        self._graves.sweep(frozenset(child.pid for child in self._crew.alive))
        if self._orders.ending is None and self._standby.should_hand_over():
            log.info("handing over: this master's parent is gone, and another one stands by")
            self._orders.end(0)
        if self._orders.everyone_stops:
            self._standby.end_waiting()

    def _end_when_done(self) -> None:
        """A master that runs once ends when every worker has drained, or crashes on and on."""
        if self._orders.ending is not None:
            return
        workers = [child for child in self._crew.children if child.kind.per_queue]
        if any(one.crashes >= CRASHES_MOST or one.state is ChildState.FATAL for one in workers):
            self._orders.end(1)
        elif self._chores_at > -math.inf and all(child.finished for child in workers):
            self._orders.end(0)

    def _pause(self, now: float) -> float:
        """Seconds until something is to be looked at, if nothing happens."""
        if (
            self._orders.ending is not None
            or self._orders.roll is not None
            or self._graves.open
            or any(child.state is ChildState.STARTING for child in self._crew.children)
        ):
            return QUICK_TURN
        held = self._limits.lease_lost
        retries = (
            child.retry_at
            for child in self._crew.children
            if not child.alive and not (held and child.kind.per_queue)
        )
        soonest = min(self._limits.next(self._crew), min(retries, default=math.inf))
        return min(IDLE_TURN, max(0.001, soonest - now))
