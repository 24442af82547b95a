"""uvicorn inside a child: with the child's signals, its beat and its end."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from qsuper import logs
from qsuper.exits import Exit
from qsuper.place import Place
from qsuper.roles.web.serving.connection import Connection
from qsuper.roles.web.serving.events import Events
from qsuper.scoreboard import clock

BACKLOG = 128
"""Connections that are taken in one turn of the loop, at most."""
BEAT = 1.0
DRAIN_MOST = 3
"""Seconds that requests under way have when the process is to end."""
HEADERS_MOST = 16 * 1024
"""Bytes of a request before its body."""
KEEP_ALIVE = 5
"""Seconds."""

log = logging.getLogger("qsuper.web")


class Server(uvicorn.Server):
    """Serves until the child is ordered to stop, or its master is dead."""

    def __init__(self, place: Place, app: ASGIApp, events: Events) -> None:
        # It would log each request that is none: whoever sends them shall not fill the disk.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=Connection,
                backlog=BACKLOG,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                h11_max_incomplete_event_size=HEADERS_MOST,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=DRAIN_MOST,
            )
        )
        self.exit = Exit.DRAINED
        self._record = place.record
        self._events = events
        self._master = os.getppid()
        self._wanted_to_end = asyncio.Event()

    def serve_at(self, listener: socket.socket) -> Exit:
        """Serve; returns why it ended."""
        asyncio.run(self.serve([listener]))
        return self.exit

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As every child does; not uvicorn's, which would raise the signal again."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._drain)
        loop.add_signal_handler(signal.SIGQUIT, self._leave)
        loop.add_signal_handler(signal.SIGUSR1, logs.reopen)
        yield

    async def main_loop(self) -> None:
        """A beat each second, until it is to end."""
        self._record.describe(phase="idle")
        while not self.should_exit:
            self._beat()
            await self.on_tick(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted_to_end.wait(), BEAT)
        self._events.close()

    def _beat(self) -> None:
        self._record.beat = clock()
        now = time.monotonic()
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection):
                connection.look(now)
        if os.getppid() != self._master:
            self.exit = Exit.MASTER_DIED
            self._leave()
        elif self._record.order:
            self._drain()

    def _drain(self) -> None:
        """Take no more, and answer what was asked."""
        self.should_exit = True
        self._wanted_to_end.set()

    def _leave(self) -> None:
        """At once."""
        if os.getppid() != self._master:
            self.exit = Exit.MASTER_DIED
        self.force_exit = True
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection):
                connection.transport.abort()
        self._drain()
