"""What every request passes before anybody looks at what it wants."""

import asyncio
import logging
import re
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qsuper.roles.web.answers import Trouble, refuse
from qsuper.roles.web.gate.allowance import Allowance
from qsuper.roles.web.gate.names import Names, origin_of
from qsuper.scoreboard import clock

BODY_MOST = 64 * 1024
"""Bytes."""
BODY_PATIENCE = 10.0
"""Seconds in which the body has to be there."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: with that a browser hides from which page a form was sent, from us as well.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "interest-cohort=()",
}

FAILURES_MOST = 10
"""That are written down in a minute."""

_READING = ("GET", "HEAD")
_STRANGE = re.compile(rb"%00|%2f|%5c|%2e|//|\\|/\.\.?(?:/|$)", re.IGNORECASE)
_LOCAL_FETCHES = (None, "same-origin")

log = logging.getLogger("qsuper.web")


class Guard:
    """ASGI: refuses what no browser of ours sends, and gives each answer its headers."""

    def __init__(self, app: ASGIApp, names: Names) -> None:
        self._app = app
        self._names = names
        self._failures = Allowance(FAILURES_MOST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(message)
            await send(message)

        try:
            self._check(scope)
            if scope["method"] == "POST":
                receive = _given(await _body(Headers(scope=scope), receive))
            await self._app(scope, receive, answer)
        except Trouble as trouble:
            await refuse(trouble, scope, receive, answer)
        except Exception:
            # Not to be read by whoever asks.
            if (end := self._failures.take(clock())) is not None:
                log.exception("%.20s %.200s failed%s", scope["method"], scope["path"], end)
            if not status:
                text = "Something went wrong here; the log says what."
                await refuse(Trouble(500, text), scope, receive, answer)
        finally:
            took = (time.perf_counter() - began) * 1000
            log.debug("%.20s %.200s: %d, %.1f ms", scope["method"], scope["path"], status, took)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        local = (scope.get("server") or ("",))[0]
        if not self._names.allows(headers.get("host", ""), local):
            text = "qsuper is not to be reached by this name; if it should be, add it to web.hosts."
            raise Trouble(421, text, closes=True)
        if "content-length" in headers and "transfer-encoding" in headers:
            # What is before us may take the other one for the end of the body.
            raise Trouble(400, "A body has a length or is sent in pieces, not both.", closes=True)
        raw = scope["raw_path"]
        if not raw.startswith(b"/") or _STRANGE.search(raw) or not scope["path"].isprintable():
            raise Trouble(404, "There is no such page.")
        if scope["method"] in _READING:
            if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
                raise Trouble(400, "To read takes no body.", closes=True)
            return
        if scope["method"] != "POST":
            raise Trouble(405, "This is not done here: pages are read, and forms are sent.")
        self._check_origin(headers, local)

    def _check_origin(self, headers: Headers, local: str) -> None:
        """A page of another site may send a form here, but cannot hide that it does."""
        origin = origin_of(headers)
        foreign = origin is not None and (
            not self._names.allows(origin, local) or origin != headers.get("host", "").lower()
        )
        if foreign or headers.get("sec-fetch-site") not in _LOCAL_FETCHES:
            raise Trouble(403, "This came from a page that is not qsuper's; nothing was done.")


def _complete(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers[name] = value
    headers.setdefault("cache-control", "no-store")


async def _body(headers: Headers, receive: Receive) -> bytes:
    """The whole body, as long as it is not too long."""
    too_long = Trouble(413, f"More than {BODY_MOST // 1024} KB cannot be sent.", closes=True)
    if int(headers.get("content-length", "0")) > BODY_MOST:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Trouble(400, "The body ended before its end.", closes=True)
                body += message.get("body", b"")
                if len(body) > BODY_MOST:
                    raise too_long
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Trouble(408, "The body took too long.", closes=True) from None


def _given(body: bytes) -> Receive:
    """What is received when the body is known."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
