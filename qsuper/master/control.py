"""The control socket: a server inside the master's loop that nobody can hold up.

Whatever a client does — nothing, junk, a byte an hour, a thousand connections — costs a bounded
piece of memory and never a wait.
"""

import logging
import os
import selectors
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from qsuper import wire
from qsuper.errors import QsuperError, WireError

CLIENTS_MOST = 32
ACCEPTS_MOST = 64
"""Connections taken in one turn of the loop."""
BACKLOG = 128
IDLE_MOST = 10.0
"""Seconds a client may take for its whole visit."""
UNREAD_MOST = 256 * 1024
"""Bytes of replies that may wait for a client to read them."""
_PATH_MOST = 107

log = logging.getLogger("qsuper.master")

Verb = Callable[[dict[str, Any]], dict[str, Any]]


class Control:
    """Answers requests out of a fixed table of verbs."""

    def __init__(
        self, path: Path, selector: selectors.BaseSelector, verbs: Mapping[str, Verb]
    ) -> None:
        self._path = path
        self._selector = selector
        self._verbs = verbs
        self._clients: dict[socket.socket, _Client] = {}
        self._server = _listen(path)
        selector.register(self._server, selectors.EVENT_READ, self._accept)

    def expire(self, now: float) -> None:
        """Part with clients that have had their time."""
        for connection, client in list(self._clients.items()):
            if client.since is None:
                client.since = now
            elif now - client.since > IDLE_MOST:
                self._part(connection)

    def close(self) -> None:
        """Stop listening; nothing is left in the folder."""
        self.forget()
        self._path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Close the descriptors only: in a forked child the socket stays the master's."""
        self._server.close()
        for connection in self._clients:
            connection.close()
        self._clients.clear()

    def _accept(self) -> None:
        for _ in range(ACCEPTS_MOST):
            try:
                connection, _ = self._server.accept()
            except OSError:  # nobody is left, or no descriptor
                return
            self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        if not _is_ours(connection):
            connection.close()
            return
        if len(self._clients) >= CLIENTS_MOST:
            self._part(next(iter(self._clients)))
        connection.setblocking(False)
        self._clients[connection] = _Client()
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._serve(connection))

    def _serve(self, connection: socket.socket) -> None:
        """Whatever can be read and written now, and no more."""
        client = self._clients.get(connection)
        if client is None:  # parted with since the selector saw it
            return
        try:
            if not client.closing:
                self._read(connection, client)
            self._write(connection, client)
        except BlockingIOError:
            pass
        except OSError:
            self._part(connection)
            return
        if len(client.unread) > UNREAD_MOST or (client.closing and not client.unread):
            self._part(connection)
            return
        events = selectors.EVENT_WRITE if client.unread else selectors.EVENT_READ
        self._selector.modify(connection, events, lambda: self._serve(connection))

    def _read(self, connection: socket.socket, client: "_Client") -> None:
        try:
            data = connection.recv(wire.LINE_MOST)
        except BlockingIOError:
            return
        client.closing = not data
        try:
            for line in client.lines.feed(data):
                client.unread += self._answer(line)
        except WireError as error:
            client.unread += wire.encode(wire.refused(str(error)))
            client.closing = True

    def _answer(self, line: str) -> bytes:
        request = wire.decode_request(line)
        verb = self._verbs.get(request.verb)
        if verb is None:
            known = ", ".join(self._verbs)
            return wire.encode(wire.refused(f"unknown verb {request.verb!r}; known: {known}"))
        try:
            return wire.encode(verb(request.args))
        except QsuperError as error:
            log.warning("%s refused: %s", request.verb, error)
            return wire.encode(wire.refused(str(error)))
        except Exception:  # supervision must not end because a request met a bug
            log.exception("the request %s met an error that nobody expected", request.verb)
            return wire.encode(wire.refused("the master met a bug, its log has the traceback"))

    @staticmethod
    def _write(connection: socket.socket, client: "_Client") -> None:
        if client.unread:
            sent = connection.send(client.unread)
            del client.unread[:sent]

    def _part(self, connection: socket.socket) -> None:
        del self._clients[connection]
        self._selector.unregister(connection)
        connection.close()


class _Client:
    """One visit."""

    def __init__(self) -> None:
        self.lines = wire.LineBuffer()
        self.unread = bytearray()
        self.closing = False
        self.since: float | None = None


def _listen(path: Path) -> socket.socket:
    """Bind the socket, readable by its owner alone from the first moment on."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    mask = os.umask(0o177)
    try:
        # A dead master leaves its socket; that the lock is ours says that nobody listens there.
        path.unlink(missing_ok=True)
        short = len(os.fsencode(path)) <= _PATH_MOST
        server.bind(str(path) if short else f"/proc/self/fd/{folder}/{path.name}")
        server.listen(BACKLOG)
    except OSError as error:
        server.close()
        raise QsuperError(f"cannot listen on {path}: {error.strerror}") from error
    finally:
        os.umask(mask)
        os.close(folder)
    return server


def _is_ours(connection: socket.socket) -> bool:
    """Whether the peer is of our own user, or root."""
    with suppress(OSError):
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return struct.unpack("3i", raw)[1] in (os.getuid(), 0)
    return False
