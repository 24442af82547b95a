"""A private Redis or Valkey server."""

import redis

from tests.servers.program import find_program
from tests.servers.server import Server


class Redis(Server):
    """A Redis on a loopback port and a unix socket, in memory only.

    `options` are the server's own (appendonly="yes", notify_keyspace_events="Ex"); a change to the
    attribute counts from the next start on.
    """

    def __init__(self, **options: object) -> None:
        super().__init__("redis")
        self.options = options

    def url(self, db: int = 0) -> str:
        """Return the URL of database `db` by TCP."""
        return f"redis://127.0.0.1:{self.port}/{db}"

    def socket_url(self, db: int = 0) -> str:
        """Return the URL of database `db` by the unix socket."""
        return f"unix://{self.socket}?db={db}"

    def empty(self) -> None:
        """Delete every key of every database."""
        with redis.Redis.from_url(self.socket_url()) as client:
            client.flushall()

    def command(self) -> list[str]:
        chosen: dict[str, object] = {
            "bind": "127.0.0.1",
            "port": self.port,
            "unixsocket": self.socket,
            "dir": self.folder,
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
        }
        chosen |= {name.replace("_", "-"): value for name, value in self.options.items()}
        words = [word for name, value in chosen.items() for word in (f"--{name}", str(value))]
        return [find_program("redis-server", "valkey-server"), *words]

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.socket_url()) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
