"""What systemd is to a service: a datagram socket, and a watchdog that looks at the clock."""

import socket
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Message:
    """One datagram; `at` is CLOCK_MONOTONIC in seconds, when it was read."""

    fields: dict[str, str]
    at: float


class ServiceManager:
    """Hears what a service says of itself."""

    def __init__(self, address: Path | str) -> None:
        """A path, or `@name` for a name in the kernel only."""
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind("\0" + self.address[1:] if self.address[0] == "@" else self.address)
        self._heard: list[Message] = []
        self._since = time.monotonic()

    def environ(self, watchdog: float | None = None) -> dict[str, str]:
        """What the service is started with; `watchdog` in seconds."""
        environ = {"NOTIFY_SOCKET": self.address}
        return (
            environ if watchdog is None else {**environ, "WATCHDOG_USEC": f"{watchdog * 1e6:.0f}"}
        )

    def messages(self) -> list[Message]:
        """All so far."""
        while True:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                return self._heard
            lines = [line.partition("=") for line in data.decode().splitlines()]
            fields = {name: value for name, _, value in lines}
            self._heard.append(Message(fields, time.monotonic()))

    def said(self, name: str) -> list[str]:
        """The values of one field, in their order."""
        return [one.fields[name] for one in self.messages() if name in one.fields]

    def signs_of_life(self) -> int:
        return len(self.said("WATCHDOG"))

    def silent_for(self) -> float:
        """Seconds since the last sign of life."""
        alive = [one.at for one in self.messages() if "WATCHDOG" in one.fields]
        return time.monotonic() - (alive[-1] if alive else self._since)

    def close(self) -> None:
        self._socket.close()
