"""The way to the service manager: sd_notify, which is one datagram to a socket that it names."""

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress

_FILE, _ABSTRACT = "/", "@"


class Notifier:
    """Says things to systemd, or to whatever else has set NOTIFY_SOCKET; else to nobody."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Takes its variables out of `environ`: what a job starts must not speak for the master."""
        self._address = _address(environ.pop("NOTIFY_SOCKET", ""))
        self.watchdog = _interval(
            environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", str(os.getpid()))
        )
        """Seconds without WATCHDOG=1 after which this process is killed; None: no such limit."""

    def say(self, **fields: object) -> None:
        """One message: `say(READY=1, STATUS="4 workers")`. Nobody there is no error."""
        if self._address is None:
            return
        lines = [f"{name}={_one_line(str(value))}" for name, value in fields.items()]
        # Opened for each: a forked child would inherit it, and messages are few.
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel,
        ):
            channel.sendto("\n".join(lines).encode(errors="replace"), self._address)


def _address(given: str) -> str | None:
    if given.startswith(_ABSTRACT):
        return "\0" + given.removeprefix(_ABSTRACT)
    return given if given.startswith(_FILE) else None


def _interval(microseconds: str, pid: str) -> float | None:
    """The watchdog's time, if it is this process that is watched."""
    if not microseconds.isdecimal() or int(microseconds) == 0 or pid != str(os.getpid()):
        return None
    return int(microseconds) / 1e6


def _one_line(value: str) -> str:
    return " ".join(value.split())
