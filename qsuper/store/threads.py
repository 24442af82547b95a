"""Connections for an application: one per thread, never one that a fork carried along."""

import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from qsuper.errors import QsuperError, StoreUnavailable
from qsuper.store.backend import StoreBusy
from qsuper.store.database import Connection, Database, Link

TRUSTED_FOR = 0.5
"""Seconds after which a connection that idled is tried: an application enqueues now and then, and
hears of the loss of a connection as of a job whose fate is unknown."""
BUSY_PATIENCE = 10.0
"""Seconds for which a statement that found its rows locked is tried again."""

_Result = TypeVar("_Result")


class Threads(threading.local):
    """Call `do` with what is to be done on a connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._owner = os.getpid()
        self._link = self._new_link()

    def do(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run `work` on this thread's connection; again while rows are locked by others.

        A connection that dies under a statement is not tried again here: the statement may have
        been done. The caller hears `OutcomeUnknown`.
        """
        ends = time.monotonic() + BUSY_PATIENCE
        while True:
            try:
                return work(self._fresh())
            except StoreBusy:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.02)
            except (StoreUnavailable, OSError):
                self._link.drop()
                raise
            except QsuperError:
                raise
            except BaseException:
                self._link.drop()
                raise

    def close(self) -> None:
        """Give up this thread's connection."""
        if self._owner == os.getpid():
            self._link.drop()

    def _fresh(self) -> Connection:
        if self._owner != os.getpid():
            # The parent's connection is left as it is: closing it would speak on its socket.
            self._owner, self._link = os.getpid(), self._new_link()
        return self._link.connection

    def _new_link(self) -> Link:
        return Link(self._database, trusted_for=TRUSTED_FOR)
