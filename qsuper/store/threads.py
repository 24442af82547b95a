"""Connections for an application: one per thread, never one that a fork carried along."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from qsuper.errors import QsuperError, StoreUnavailable
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.database import Connection, Database, Link

IDLE = 0.5
"""Seconds after which a connection is tried before it is trusted: servers close idle ones."""
BUSY_PATIENCE = 10.0
"""Seconds for which a statement that found its rows locked is tried again."""

_PING = Statement("SELECT 1")
_Result = TypeVar("_Result")


class Threads(threading.local):
    """Call `do` with what is to be done on a connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._owner = os.getpid()
        self._link = Link(database)
        self._used = time.monotonic()

    def do(self, work: Callable[[Connection], _Result]) -> _Result:
        """Run `work` on this thread's connection; again while rows are locked by others.

        A connection that dies under a statement is not tried again here: the statement may have
        been done. The caller hears `OutcomeUnknown`.
        """
        ends = time.monotonic() + BUSY_PATIENCE
        while True:
            connection = self._fresh()
            try:
                return work(connection)
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
            finally:
                self._used = time.monotonic()

    def close(self) -> None:
        """Give up this thread's connection."""
        if self._owner == os.getpid():
            self._link.drop()

    def _fresh(self) -> Connection:
        if self._owner != os.getpid():
            # The parent's connection is left as it is: closing it would speak on its socket.
            self._owner, self._link = os.getpid(), Link(self._database)
        elif time.monotonic() - self._used > IDLE:
            with suppress(StoreUnavailable):
                self._link.connection.rows(_PING)
                return self._link.connection
            self._link.drop()
        return self._link.connection
