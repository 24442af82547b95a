"""Sends a stream of events; whoever reads too slowly is let go."""

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from qsuper.roles.web.answers import Trouble
from qsuper.roles.web.serving.events import Events, Stream

PATIENCE = 5.0
"""Seconds within which a listener must take what it is sent."""
HEARTBEAT = 10.0
"""Seconds of silence after which a comment is sent: proxies cut what says nothing."""
COME_BACK = 2000
"""Milliseconds after which a browser that was cut off tries again."""

_HEADERS = {"content-type": "text/event-stream", "x-accel-buffering": "no"}


class EventStream(Response):
    """Ends with its stream, with the session, or with the listener."""

    def __init__(self, events: Events, job: int | None, may_stay: Callable[[], bool]) -> None:
        """`may_stay` is asked before each event."""
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._events, self._job, self._may_stay = events, job, may_stay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        stream = self._events.open(self._job)
        if stream is None:
            raise Trouble(503, "Too many listen already.", headers={"retry-after": "10"})
        gone = asyncio.create_task(_end_with(stream, receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await _send(send, b"retry: %d\n\n" % COME_BACK)
            while self._may_stay() and (body := await _next(stream)):
                await _send(send, body)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            # The connection is cut by those who look after connections: what waits in it is lost.
            return
        finally:
            gone.cancel()
            self._events.leave(stream)


async def _send(send: Send, body: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _next(stream: Stream) -> bytes:
    try:
        async with asyncio.timeout(HEARTBEAT):
            return await stream.next()
    except TimeoutError:
        return b": still here\n\n"


async def _end_with(stream: Stream, receive: Receive) -> None:
    """Wait until the listener has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()
