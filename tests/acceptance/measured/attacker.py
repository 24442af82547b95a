"""Somebody who means the dashboard ill: a plain client, run as a program of its own.

`attacker.py PORT` holds a thousand idle connections and sends so many requests a second that
somebody in a browser would not, until it is killed. It is as nice as can be, and its rate has a
bound: an attacker's processor is not the workers' one.
"""

import itertools
import os
import socket
import sys
import time
from contextlib import suppress

IDLE = 1000
RATE = 100.0
"""Requests a second."""
REOPENED = 1
"""Connections that are looked after between two requests: most were cut to make room for others,
and opening them again costs a processor, too."""

_FORM = (
    b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded"
)
REQUESTS = (
    _FORM + b"\r\nContent-Length: 23\r\n\r\ntoken=wrong&back=/queues",
    _FORM + b"\r\nContent-Length: 10485760\r\n\r\n" + b"x" * 65536,
    b"GET /jobs HTTP/1.1\r\nHost: localhost\r\nCookie: qsuper-1=forged.forged\r\n\r\n",
    b"GET /static/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 4000,
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
)


class Idle:
    """Connections that say nothing; one that was cut is opened again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._all: list[socket.socket] = []
        self._next = 0

    @property
    def complete(self) -> bool:
        return len(self._all) == IDLE

    def look_after(self, most: int) -> None:
        for _ in range(most):
            if len(self._all) < IDLE:
                with suppress(OSError):
                    self._all.append(_connected(self._port))
                continue
            place = self._next = (self._next + 1) % IDLE
            if _is_cut(self._all[place]):
                self._all[place].close()
                with suppress(OSError):
                    self._all[place] = _connected(self._port)


def send(port: int, request: bytes) -> None:
    """And wait for the first of what comes back."""
    with suppress(OSError), _connected(port) as connection:
        connection.sendall(request)
        connection.recv(65536)


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def _is_cut(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True


def main(port: int) -> None:
    os.nice(19)
    idle = Idle(port)
    while not idle.complete:
        idle.look_after(IDLE)
    print("at it", flush=True)
    due = time.monotonic()
    for request in itertools.cycle(REQUESTS):
        send(port, request)
        idle.look_after(REOPENED)
        due = max(due + 1 / RATE, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
