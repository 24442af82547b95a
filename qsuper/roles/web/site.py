"""What the pages, the actions and the streams read from and write to."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qsuper import processes, wire
from qsuper.errors import QsuperError, StoreError
from qsuper.history import History
from qsuper.picture import Picture, take
from qsuper.place import Place
from qsuper.scoreboard import clock
from qsuper.store import schema
from qsuper.store.database import Connection, Database, Link

FRESH_FOR = 0.5
"""Seconds for which one picture serves everybody."""
MEMORY_FOR = 5.0
"""Seconds for which the memory of a process is taken to be the same: it costs the process time."""
QUERY_MOST = 20.0
"""Seconds after which somebody who waits for a page is told that the database is slow."""


class Site:
    """Used by several threads at once."""

    def __init__(self, place: Place) -> None:
        self.config = place.config
        self.board = place.board
        self.record = place.record
        store = place.config.store
        self.database = Database(
            store.url,
            connect_timeout=store.connect_timeout,
            read_timeout=min(QUERY_MOST, store.read_timeout),
        )
        self._state_dir = Path(place.config.state_dir)
        self._looking = threading.Lock()
        self._newest: tuple[float, Picture] | None = None
        self._memory: dict[int, tuple[float, int | None]] = {}
        self._links = threading.local()

    def picture(self) -> Picture:
        """The node as it is now; raises `NotRunning` or `ScoreboardError`."""
        with self._looking:
            if found := self.fresh():
                return found
            now = clock()
            found = take(self._state_dir, now=now, unix=time.time(), memory=self._memory_of)
            self._newest = now, found
            self._forget_memory(now)
            return found

    def fresh(self) -> Picture | None:
        """The last picture while it is as good as a new one; waits for nothing."""
        newest = self._newest
        return newest[1] if newest and clock() - newest[0] < FRESH_FOR else None

    def look_again(self) -> None:
        """Something was done: the next picture shall show it."""
        with self._looking:
            self._newest = None

    def history(self) -> History:
        """The last hour and day; raises `ScoreboardError` when there is nothing yet."""
        return History.open(self._state_dir / "history")

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """This thread's connection, for as long as the block runs; raises `StoreUnavailable`."""
        link = self._link()
        try:
            yield link.connection
        except (QsuperError, OSError) as error:
            if isinstance(error, StoreError | OSError):
                link.drop()
            raise
        except BaseException:
            link.drop()
            raise

    def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        """The master's reply; raises `NotRunning`, `Refused` or `WireError`."""
        return wire.call(self._state_dir / "control.sock", verb, args)

    def now(self) -> float:
        """Unix time."""
        return time.time()

    def _link(self) -> Link:
        link: Link | None = getattr(self._links, "link", None)
        if link is None:
            link = Link(self.database)
            schema.check(link.connection)
            self._links.link = link
        return link

    def _memory_of(self, pid: int) -> int | None:
        now = clock()
        looked, found = self._memory.get(pid, (0.0, None))
        if now - looked >= MEMORY_FOR:
            looked, found = now, processes.memory(pid)
            self._memory[pid] = looked, found
        return found

    def _forget_memory(self, now: float) -> None:
        """Of processes that nobody asks for any more."""
        for pid in [pid for pid, (at, _) in self._memory.items() if now - at > 4 * MEMORY_FOR]:
            del self._memory[pid]
