"""What every child has in common: signals, rest, trouble with the database, and the loop."""

import logging
import os
import random
import select
import signal
from collections.abc import Callable
from contextlib import suppress

import psutil

from qsuper import logs
from qsuper.errors import AppError, ConfigError, QsuperError, StoreError
from qsuper.exits import Exit
from qsuper.place import Place
from qsuper.roles import forking
from qsuper.scoreboard import clock
from qsuper.store import schema
from qsuper.store.backend import StoreBusy
from qsuper.store.database import Connection, Database, Link

log = logging.getLogger("qsuper.role")

DRAIN, AT_ONCE = 1, 2
"""What a child may be ordered, as in `Record.order`."""
PATIENCE_LEAST, PATIENCE_MOST = 0.2, 5.0
"""Seconds between two tries while the database is away."""
BUSY_PATIENCE = 5.0
"""Seconds for which rows or a file held by others are no trouble worth a word."""
BUSY_REST = 0.05


class Role:
    """A child's work: `tick` does one round and returns how many seconds it may rest."""

    time_to_leave = 0.8
    """Seconds a child has once its master is dead."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.config = place.config
        self.board = place.board
        self.record = place.record
        self.meter = place.board.meter(place.record.slot)
        store = place.config.store
        self.database = Database(
            store.url, connect_timeout=store.connect_timeout, read_timeout=store.read_timeout
        )
        self.link = Link(self.database)
        self.order = 0
        self.complaint = ""
        """What is wrong although the rounds go well, for `status`; empty when nothing is."""
        self.away = ""
        """What the complaint is the absence of: one of `scoreboard.AWAY`."""
        self.exit = Exit.DRAINED
        self._patience = PATIENCE_LEAST
        self._checked = False
        self._busy_since = 0.0
        self._master = os.getppid()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def boot(self) -> None:
        """Once, before the first tick; raises `AppError` when it can never work."""

    def tick(self, now: float) -> float | None:
        """One round at `clock()` time `now`: seconds to rest, or None when all is done."""
        raise NotImplementedError

    def leave(self) -> None:
        """Once, after the last tick."""

    def farewell(self) -> None:
        """The master is dead: what can be done about it in less than a second."""

    def wakeful(self) -> list[int]:
        """Descriptors whose readability ends a rest early."""
        return []

    def run(self) -> Exit:
        """The loop."""
        self._listen()
        try:
            self.boot()
        except AppError as error:
            log.error("%s", error)
            self.record.complain(str(error))
            return Exit.CANNOT_BOOT
        while True:
            now = clock()
            self.record.beat = now
            if self.orphaned():
                self.exit = Exit.MASTER_DIED
                self.last_words()
                self.farewell()
                break
            delay = self._try(now)
            if delay is None:
                with suppress(StoreError):
                    self.leave()
                break
            self._rest(delay)
        return self.exit

    def connection(self) -> Connection:
        """The connection, its tables checked once."""
        connection = self.link.connection
        if not self._checked:
            schema.check(connection)
            self._checked = True
        return connection

    def _try(self, now: float) -> float | None:
        """A tick, whatever the database does: it may be away, and come back."""
        try:
            delay = self.tick(now)
        except StoreBusy as error:
            self._busy_since = self._busy_since or now
            if now - self._busy_since < BUSY_PATIENCE:
                return BUSY_REST * random.uniform(0.5, 1.0)
            self.trouble(error)
            return self._patience
        except StoreError as error:
            if self.order == AT_ONCE:
                return None
            self.trouble(error)
            return self._patience * random.uniform(0.5, 1.0)
        self._busy_since = 0.0
        if self._patience != PATIENCE_LEAST:
            log.info("the database answers again")
            self.meter.count("database_reconnects")
            self._patience = PATIENCE_LEAST
        self.record.complain(self.complaint[:300], self.away)
        return delay

    def trouble(self, error: StoreError) -> None:
        """Say what is wrong once per spell, give up the connection, grow more patient."""
        self.link.drop()
        if self.record.trouble != str(error)[:300]:
            log.warning("the database: %s", error)
        self.record.complain(str(error)[:300], "database")
        self.record.describe(phase="waiting")
        self._patience = min(PATIENCE_MOST, self._patience * 2)

    def _listen(self) -> None:
        signal.signal(signal.SIGTERM, lambda _signal, _frame: self._note(DRAIN))
        signal.signal(signal.SIGQUIT, lambda _signal, _frame: self._note(AT_ONCE))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, lambda _signal, _frame: logs.reopen())
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        forking.keep_handlers_here()

    def _note(self, order: int) -> None:
        self.order = max(self.order, order)
        if self.order == AT_ONCE:
            self.interrupt()

    def interrupt(self) -> None:
        """The child must leave at once: called from the signal handler."""
        if self.orphaned():
            self.last_words()

    def orphaned(self) -> bool:
        """Whether the master is dead."""
        return os.getppid() != self._master

    def last_words(self) -> None:
        """Whatever hangs now, the kernel ends this process after `time_to_leave`."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, self.time_to_leave)

    def _rest(self, delay: float) -> None:
        """Sleep until a signal comes, or a hint, or the time is over."""
        if self.order:
            delay = min(delay, 0.05)
        ends = clock() + delay
        while True:
            left = max(0.0, ends - clock())
            readable, _, _ = select.select([self._wake_read, *self.wakeful()], [], [], left)
            if self._wake_read in readable:
                with suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
                return
            if not readable or self.take_hint():
                return

    def take_hint(self) -> bool:
        """One of `wakeful` is readable: whether the hint is ours, or another child took it."""
        return True


def enter(make: Callable[[Place], Role], place: Place) -> int:
    """The `main` of a `Kind`: build the role and run it."""
    try:
        role = make(place)
    except (ConfigError, QsuperError) as error:
        log.error("%s", error)
        place.record.complain(str(error))
        return Exit.CANNOT_BOOT
    return role.run()


def kill_descendants() -> None:
    """Every process that this one started, directly or not, is killed."""
    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
