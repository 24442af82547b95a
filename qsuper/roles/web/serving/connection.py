"""One connection: how long it may take for what, and who makes room when there are too many."""

import asyncio
import resource
import time
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

CONNECTIONS_MOST = 256
"""A further one takes the place of the one that has been idle for longest."""
IDLE_MOST = 10.0
"""Seconds in which a request must be there, from the first byte or before it to the last header."""
CLOSING_MOST = 5.0
"""Seconds in which the rest of an answer must have been taken."""


class Connection(H11Protocol):
    """uvicorn's, which would wait for ever for a request that does not come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.since = time.monotonic()
        """When it became what it is: idle, or closing; or when something of an answer was taken."""
        self._was = (False, False, False, 0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > most():
            one = self._make_room()
            # More may come before the loop has come to its end.
            self.connections.discard(one)
            one.transport.abort()

    @property
    def at_work(self) -> bool:
        """A request is here, and its answer is not yet whole."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    @property
    def receiving(self) -> bool:
        """The body of a request has not yet come to its end."""
        return self.conn.their_state is h11.SEND_BODY

    def look(self, now: float) -> None:
        """Cut it when it takes too long. To be called each second."""
        closing = self.transport.is_closing()
        # An answer that is being taken, however slowly, is waited for.
        unsent = self.transport.get_write_buffer_size()
        state = (self.at_work, self.receiving, closing, unsent)
        if state != self._was:
            self._was, self.since = state, now
        patience = CLOSING_MOST if closing else IDLE_MOST
        if (closing or not self.at_work) and now - self.since > patience:
            self.transport.abort()

    def _make_room(self) -> "Connection":
        """The one that is to go: who has let us wait for longest, or the newest when all work."""
        others = [one for one in self.connections if isinstance(one, Connection)]
        idle = [one for one in others if one is not self and (one.receiving or not one.at_work)]
        return min(idle, key=lambda one: one.since, default=self)


def most() -> int:
    """How many connections there may be: files are needed for other things, too."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MOST if soft == resource.RLIM_INFINITY else min(CONNECTIONS_MOST, soft // 4)
