"""The child that tells somebody what is wrong. It opens neither database nor Redis."""

import fcntl
import logging
import os
import time
from pathlib import Path

from qsuper.errors import QsuperError
from qsuper.picture import Picture, take
from qsuper.place import Place
from qsuper.roles.alerts import ticks
from qsuper.roles.alerts.conditions import Look, conditions
from qsuper.roles.alerts.courier import Courier
from qsuper.roles.alerts.destination import destinations
from qsuper.roles.alerts.episodes import step
from qsuper.roles.alerts.message import Message
from qsuper.roles.alerts.notebook import Notebook, Notes
from qsuper.roles.alerts.outbox import Outbox
from qsuper.roles.role import AT_ONCE, Role
from qsuper.roles.zombies import Zombies

log = logging.getLogger("qsuper.alerts")

LOOK_EVERY = 1.0
"""Seconds."""
_TURN_EVERY = 0.2
"""Seconds between two tries for what another process still has."""
_WRITE_EVERY = 10.0
"""Seconds between two writes when nothing was told."""
_MISSED_WITHIN = 60.0
"""Seconds for which a missed due time counts as one that is missed now."""


class Alerts(Role):
    """Looks at the picture once a second; keeps episodes; has couriers tell them."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._state_dir = Path(self.config.state_dir)
        self._notebook = Notebook(self._state_dir)
        self._lock = -1
        self._notes = Notes()
        self._couriers: list[Courier] = []
        self._zombies = Zombies()
        self._look_at = self._write_at = 0.0
        self._unseen = self._unwritten = ""

    def boot(self) -> None:
        self.record.describe(phase="idle")

    def tick(self, now: float) -> float | None:
        if self.order or self.record.order:
            return self._drain(now)
        if not self._has_the_word():
            return _TURN_EVERY
        told = now >= self._look_at and self._look(now)
        # Noted first: who is ended in between tells it twice rather than never.
        if told or now >= self._write_at:
            self._write(now)
        for courier in self._couriers:
            if courier.turn(now, begin=True):
                self._write(now)
        self._zombies.reap(now)
        self._complain()
        dues = [courier.until_due(now) for courier in self._couriers]
        return min([self._look_at - now, *(due for due in dues if due is not None)])

    def leave(self) -> None:
        for courier in self._couriers:
            courier.turn(self.record.beat, begin=False)  # it may have ended just now
            courier.stop()
        if self._couriers:
            self._write(self.record.beat)
            self._couriers = []
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def farewell(self) -> None:
        self.leave()

    def wakeful(self) -> list[int]:
        return [descriptor for courier in self._couriers for descriptor in courier.descriptors]

    def _has_the_word(self) -> bool:
        """Only one process tells: at a reload the old one still does while the new one starts."""
        if self._couriers:
            return True
        if self._lock < 0:
            path = self._state_dir / "alerts.lock"
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._notes = self._notebook.read()
        self._couriers = [
            Courier(one, self._notes.outboxes.get(one.name, Outbox()))
            for one in destinations(self.config)
        ]
        self._notes.outboxes = {one.destination.name: one.outbox for one in self._couriers}
        return True

    def _look(self, now: float) -> bool:
        """Whether something is to be told."""
        self._look_at = now + LOOK_EVERY
        unix = time.time()
        try:
            picture = take(self._state_dir, now=now, unix=unix, memory=lambda _pid: None)
        except QsuperError as error:
            self._unseen = str(error)
            return False
        self._unseen = ""
        look = self._count(picture, unix)
        limits = self.config.alerts
        self._notes.episodes, told = step(
            self._notes.episodes,
            conditions(look, limits),
            unix,
            quiet=limits.quiet,
            blind=look.blind,
        )
        for one in told:
            log.warning("%s %s: %s", one.kind, one.state, one.text)
            message = Message.of(one, self.config.node.name)
            for courier in self._couriers:
                if lost := courier.outbox.put(message):
                    log.warning("%d alerts were given up: too many wait", lost)
        return bool(told)

    def _count(self, picture: Picture, unix: float) -> Look:
        notes, totals, run = self._notes, picture.totals, picture.started
        window = self.config.alerts.dead_within
        notes.dead = notes.dead.after(run, totals.outcomes["dead"], unix, window)
        missed = totals.counters["missed"]
        notes.missed = notes.missed.after(run, missed, unix, _MISSED_WITHIN)
        ticked = ticks.last(self._state_dir)
        return Look(picture, notes.dead.grown, notes.missed.grown, ticked, unix)

    def _drain(self, now: float) -> float | None:
        """What is under way may end; the rest is for who comes next."""
        if self.order != AT_ONCE:
            for courier in self._couriers:
                courier.turn(now, begin=False)
            if not all(courier.idle for courier in self._couriers):
                return _TURN_EVERY
        return None

    def _write(self, now: float) -> None:
        self._write_at = now + _WRITE_EVERY
        try:
            self._notebook.write(self._notes)
            self._unwritten = ""
        except QsuperError as error:
            self._unwritten = str(error)

    def _complain(self) -> None:
        said = [self._unseen, self._unwritten, *(courier.complaint for courier in self._couriers)]
        self.complaint = "; ".join(filter(None, said))
