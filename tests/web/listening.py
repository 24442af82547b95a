"""Somebody who listens to the events, one by one."""

import json
import socket
from contextlib import suppress
from typing import Any

from tests.acceptance.daemon import PATIENCE
from tests.web.dashboard import TOKEN, Dashboard


class Ear:
    """One stream."""

    def __init__(self, dashboard: Dashboard, query: str = "", cookie: str = "") -> None:
        self._socket = dashboard.raw()
        who = f"Cookie: {cookie}" if cookie else f"Authorization: Bearer {TOKEN}"
        head = f"GET /events{query} HTTP/1.1\r\nHost: localhost\r\n{who}\r\n\r\n"
        self._socket.sendall(head.encode())
        self._file = self._socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers: dict[str, str] = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(": ")
            self.headers[name.lower()] = value

    def next(self, kind: str) -> Any:
        """The data of the next event of this kind; None when the stream has ended."""
        self._socket.settimeout(PATIENCE)
        named = ""
        while line := self._line():
            name, _, value = line.strip().partition(": ")
            if name == "event":
                named = value
            elif name == "data" and named == kind:
                return json.loads(value)
        return None

    def _line(self) -> str:
        try:
            return self._file.readline().decode()
        except ConnectionResetError:
            return ""

    def hang_up(self) -> None:
        """Whoever waits for the next event hears the end."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.hang_up()
        self._file.close()
        self._socket.close()

    def __enter__(self) -> "Ear":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
