"""What the service manager is told, turn by turn: ready, reloading, stopping, alive, and how it is.

The words are those of sd_notify(3).
"""

import math
import os
import time
from typing import Protocol

from qsuper.config import Config
from qsuper.master.child import Child
from qsuper.master.crew import Crew
from qsuper.master.messages import Messages
from qsuper.master.notify import Notifier
from qsuper.states import ChildState

STATUS_EVERY = 1.0
STATUS_MOST = 300
"""Letters of the status line."""
BOOTS_WITHIN = 60.0
"""Seconds after which a child that still boots keeps nobody from being ready: systemd would end a
start that takes 90 s, and with it the children that work."""
STATEMENTS = 5
"""As many as may wait for the database's time-outs in one round of a child: whoever was not heard
of for longer hangs."""


class Orders(Protocol):
    """What is under way, as `master.orders` has it."""

    reloads: int
    messages: Messages

    @property
    def config(self) -> Config: ...
    @property
    def roll(self) -> object | None: ...
    @property
    def ending(self) -> object | None: ...
    def workers(self) -> dict[str, int]: ...


class Notices:
    """Says each thing once, but for WATCHDOG=1."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._ready = False
        self._stopping = False
        self._reloads = 0
        self._reloading = False
        self._status = ""
        self._status_at = -math.inf
        self._alive_at = -math.inf

    def stand_by(self, why: str) -> None:
        """The master is up, and waits for another one to end."""
        self._notifier.say(READY=1, MAINPID=os.getpid(), STATUS=why)

    def alive(self, now: float) -> None:
        """The master's loop turns, or it waits as it should."""
        watchdog = self._notifier.watchdog
        if watchdog is not None and now - self._alive_at >= watchdog / 2:
            self._alive_at = now
            self._notifier.say(WATCHDOG=1)

    def turn(self, crew: Crew, orders: Orders, now: float) -> None:
        """Whatever is new since the last turn."""
        if orders.ending is not None and not self._stopping:
            self._stopping = True
            self._notifier.say(STOPPING=1)
        self._tell_ready(crew, orders, now)
        if not any(hangs(child, orders.config, now) for child in crew.children):
            self.alive(now)
        if now - self._status_at >= STATUS_EVERY:
            self._status_at = now
            self._tell_status(crew, orders)

    def _tell_ready(self, crew: Crew, orders: Orders, now: float) -> None:
        if self._stopping:
            return
        if orders.reloads != self._reloads:
            self._reloads, self._reloading = orders.reloads, True
            self._notifier.say(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)
        if self._reloading:
            # One that was refused is over, too.
            if orders.roll is None:
                self._reloading, self._ready = False, True
                self._notifier.say(READY=1)
        elif not self._ready and not any(_boots(child, now) for child in crew.children):
            self._ready = True
            self._notifier.say(READY=1, MAINPID=os.getpid())

    def _tell_status(self, crew: Crew, orders: Orders) -> None:
        status = describe(crew, orders)
        if status != self._status:
            self._status = status
            self._notifier.say(STATUS=status)


def hangs(child: Child, config: Config, now: float) -> bool:
    """Whether nothing was heard of a child for too long, of those without whom nothing is settled.

    What it complains of, such as a database that is away, is known and no reason to be killed.
    """
    record = child.record
    if record is None or not child.kind.stops_last or child.state is not ChildState.RUNNING:
        return False
    patience = STATEMENTS * (config.store.connect_timeout + config.store.read_timeout)
    # One that has become another program, as the embedded Redis does, has no rounds.
    return 0 < record.beat < now - patience and not record.trouble


def describe(crew: Crew, orders: Orders) -> str:
    """One line: `default 4/4, mail 1/2; mail[1] is FATAL; reload refused, …`."""
    running = [child.queue for child in crew.workers if child.state is ChildState.RUNNING]
    queues = [f"{name} {running.count(name)}/{wanted}" for name, wanted in orders.workers().items()]
    parts = ["workers: " + (", ".join(queues) or "none")]
    if orders.ending is not None:
        parts.insert(0, "stopping")
    parts += [
        f"{child.name} is {child.state}"
        for child in crew.children
        if child.state in (ChildState.BACKOFF, ChildState.FATAL)
    ]
    parts += [str(message["text"]) for message in orders.messages.shown()]
    return "; ".join(parts)[:STATUS_MOST]


def _boots(child: Child, now: float) -> bool:
    """Whether it boots for the first time: one that is recycled has shown that it can."""
    first = child.state is ChildState.STARTING and not child.boots
    return first and now - child.since < BOOTS_WITHIN
