"""A daemon with a Redis of its own, seen from outside."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import redis

from tests.acceptance.daemon import Daemon, alive
from tests.acceptance.rows import Rows
from tests.wait import wait_for


class Site:
    """A daemon with a Redis of its own, over SQLite."""

    def __init__(self, folder: Path) -> None:
        self.rows = Rows(f"sqlite:///{folder}/qsuper.db")
        self.daemon = Daemon(folder, self.rows.url)
        self.folder = self.daemon.state / "redis"
        self.socket = self.daemon.state / "redis.sock"
        self.configure()

    def configure(self, **tables: Any) -> None:
        self.daemon.write_config(
            **{"redis": {"url": "embedded"}, "queues": {"default": {"workers": 1}}, **tables}
        )

    def start(self, *flags: str) -> None:
        self.daemon.start(*flags)
        self.wait_for_answers()

    def wait_for_answers(self) -> None:
        self.daemon.wait_until(self.answers, "the embedded Redis answers")

    def client(self) -> "redis.Redis":
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=30)

    def answers(self) -> bool:
        with suppress(redis.ConnectionError), self.client() as client:
            return bool(client.ping())
        return False

    def set(self, key: str, value: str) -> None:
        with self.client() as client:
            assert client.set(key, value)

    def get(self, key: str) -> str | None:
        with self.client() as client:
            value = client.get(key)
        return None if value is None else bytes(value).decode()

    def setting(self, name: str) -> str:
        with self.client() as client:
            found: dict[str, str] = client.config_get(name)
        return found[name]

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """The server is in a script that does not end, and obeys no signal but SIGKILL."""
        with self.client() as client:
            connection = client.connection_pool.get_connection()
            connection.send_command("EVAL", "while true do end", 0)
            server = self.process()
            wait_for(lambda: server.cpu_percent(0.1) > 20, message="the script runs")
            yield
            connection.disconnect()

    def child(self) -> dict[str, Any]:
        """What `status` says of it; nothing while it says nothing."""
        children = self.daemon.status().get("children", [])
        return next((one for one in children if one["role"] == "redis"), {})

    def process(self) -> psutil.Process:
        """The server."""
        (pid,) = {
            record.pid
            for record in self.daemon.records()
            if record.role == "redis" and not record.ended and alive(record.pid, record.ticks)
        }
        return psutil.Process(pid)

    def wait_for_another(self, before: psutil.Process) -> None:
        def serves() -> bool:
            # None is there yet, or it has ended under the look.
            with suppress(ValueError, psutil.NoSuchProcess):
                return self.process() != before and self.answers()
            return False

        self.daemon.wait_until(serves, "another process serves")
