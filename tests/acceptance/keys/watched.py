"""A daemon that listens to a Redis, and what the test itself does to the keys."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import redis

from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.keys import expiries
from tests.acceptance.keys.expiries import Life, Told, judge
from tests.acceptance.rows import Rows
from tests.servers import Redis

APP = "tests.acceptance.keys.watch_app:queue"


class Watched:
    """One master with its listener, a database and a Redis; others may share both."""

    def __init__(
        self, folder: Path, rows: Rows, server: Redis, *, url: str | None = None, app: str = APP
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.rows = rows
        self.server = server
        self.client: redis.Redis = redis.Redis.from_url(
            server.socket_url(), decode_responses=True, socket_timeout=30
        )
        self.daemon = Daemon(folder, rows.url)
        self.configure(app=app, redis={"url": url or server.url()})

    def configure(self, **tables: Any) -> None:
        self.daemon.write_config(**{"queues": {"default": {"workers": 2}}, **tables})

    def told(self) -> list[Told]:
        return expiries.read(self.daemon.journal)

    def told_of(self, part: str) -> list[Told]:
        """Of keys with this in their names."""
        return [one for one in self.told() if part in one.key]

    def armed(self) -> int:
        """How many keys the listener waits for: to know when a test may go on, never to judge."""
        return int(self.rows.run("SELECT COUNT(*) FROM watched_keys WHERE state = 0")[0][0])

    def wait_until_armed(self, count: int) -> None:
        self.daemon.wait_until(lambda: self.armed() >= count, f"{count} keys are known")

    def wait_until_heard(self) -> None:
        """Until events come: what is set from now on is heard of, without a walk."""

        def is_heard() -> bool:
            # What was set before there was anybody to hear it may wait for the walk.
            self.client.set("w:sentinel", "heard", ex=3600)
            return self.armed() > 0

        self.daemon.wait_until(is_heard, "a key is known")
        self.client.delete("w:sentinel")
        self.daemon.wait_until(lambda: self.armed() == 0, "a deletion is heard")

    def wait_until_told(self, expired: Iterable[Life], timeout: float = PATIENCE) -> None:
        """Until no job is missing."""
        expired = list(expired)
        self.daemon.wait_until(
            lambda: not judge(expired, self.told()).missing, "every expiry has its job", timeout
        )

    def wait_until_quiet(self) -> None:
        """Until all that was due before has been handled: a key that expires now is handled, and
        no job waits."""
        name = f"w:last:{len(self.told())}"
        self.client.set(name, "last", px=1500)
        self.daemon.wait_until(lambda: self.told_of(name), "the last key has its job")
        self.daemon.wait_until(lambda: self.rows.count(0, 2, 4) == 0, "no job waits")

    def verdict(self, expired: Iterable[Life]) -> expiries.Verdict:
        """On all keys but those by which the test waits."""
        return judge(expired, [one for one in self.told() if not one.key.startswith("w:last:")])

    def clean_up(self) -> None:
        self.client.close()
        self.daemon.clean_up()
