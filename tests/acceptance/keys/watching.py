"""A daemon that watches keys of a Redis, as a test has it in its hands."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import redis

from qsuper.scoreboard import Record
from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.rows import Rows
from tests.servers import Redis
from tests.wait import wait_for

TASK = "expired"
WATCHED = "SN*:1"
AGES = 3600
"""Seconds: longer than any test."""
_CREATED = {
    "sqlite": "(julianday(ctime) - 2440587.5) * 86400.0",
    "mysql": "UNIX_TIMESTAMP(ctime)",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One job of the watch, and what it was told."""

    key: str
    value: str | None
    kind: str
    how: str
    key_base64: str
    value_base64: str | None
    lateness: float | None
    """Seconds from the deadline, by Redis' clock, to the row, by the database's."""


class Watching:
    """The daemon, its rows, and the Redis it watches."""

    def __init__(self, daemon: Daemon, rows: Rows, server: Redis) -> None:
        self.daemon = daemon
        self.rows = rows
        self.server = server
        self.client = redis.Redis.from_url(server.socket_url(), socket_timeout=60)

    def configure(
        self,
        *watches: tuple[str, int],
        app: str = "tests.acceptance.keys.watching_app:queue",
        task: str = TASK,
        url: str | None = None,
    ) -> None:
        """Watch these patterns, each with a database; without any, `WATCHED` of database 0."""
        self.daemon.write_config(
            app=app,
            redis={"url": url or self.server.url()},
            queues={"default": {"workers": 2}},
        )
        with self.daemon.config.open("a") as file:
            for pattern, db in watches or ((WATCHED, 0),):
                named = json.dumps(pattern)
                file.write(f'[[watch]]\npattern = {named}\ndb = {db}\ntask = "{task}"\n')

    def start(self) -> None:
        """And wait until the listener has subscribed and walked."""
        self.daemon.start()
        self.wait_until_heard()

    def wait_until_heard(self) -> None:
        """Whoever is set now is armed soon: the listener hears and writes."""
        self.client.set("SN0:1", "probe", ex=AGES)
        self.daemon.wait_until(lambda: "SN0:1" in self.armed(), "the listener hears")
        self.client.delete("SN0:1")
        self.daemon.wait_until(lambda: "SN0:1" not in self.armed(), "the listener heard")

    def put(self, names: Iterable[str], ms: int = AGES * 1000, value: str = "unpaid") -> None:
        """Set keys, each to live so long, all in one go."""
        pipeline = self.client.pipeline(transaction=False)
        for name in names:
            pipeline.set(name, value, px=ms)
        pipeline.execute()

    def armed(self) -> set[str]:
        """The keys that the ledger has as alive."""
        found = self.rows.run("SELECT name FROM watched_keys WHERE state = 0")
        return {bytes(name).decode() for (name,) in found}

    def count_armed(self) -> int:
        return int(self.rows.run("SELECT COUNT(*) FROM watched_keys WHERE state = 0")[0][0])

    def jobs(self) -> list[Told]:
        """What became of the keys so far."""
        sql = f"SELECT param, headers, {_CREATED[self.rows.kind]} FROM queue WHERE task = :task"
        return [_told(*row) for row in self.rows.run(sql, task=TASK)]

    def names(self) -> list[str]:
        """The keys of all jobs so far, in order."""
        return sorted(told.key for told in self.jobs())

    def wait_for_jobs(self, names: Sequence[str]) -> list[Told]:
        """Wait until there are so many jobs, and look again a moment later: one for each key."""
        self.daemon.wait_until(lambda: len(self.jobs()) >= len(names), f"{len(names)} jobs")
        self.settle()
        assert self.names() == sorted(names)
        return self.jobs()

    def settle(self) -> None:
        """Let the listener do some rounds: what would make a second job of a key has had its
        time."""
        before = self.listener().beat
        self.daemon.wait_until(lambda: self.listener().beat > before + 1.5, "the listener goes on")

    def listener(self) -> Record:
        """The record of the living listener."""
        (record,) = [
            one for one in self.daemon.records() if one.role == "listener" and not one.ended
        ]
        return record

    def process(self) -> psutil.Process:
        return psutil.Process(self.listener().pid)

    def says(self, *words: str) -> None:
        """Wait until `status` has a line with all these words among what is degraded."""

        def said() -> bool:
            return any(
                all(word in line for word in words) for line in self.daemon.status()["degraded"]
            )

        self.daemon.wait_until(said, f"status says {' … '.join(words)}")

    def is_well(self) -> None:
        """Wait until nothing is degraded; nobody was restarted on the way."""
        self.daemon.wait_until(lambda: not self.daemon.status()["degraded"], "all is well")
        restarts = {one["name"]: one["restarts"] for one in self.daemon.status()["children"]}
        assert set(restarts.values()) == {0}, restarts

    def lines(self, word: str) -> list[str]:
        """The lines of the log with this word in them."""
        return [line for line in self.daemon.log().splitlines() if word in line]

    def warnings(self) -> list[str]:
        """The lines of the log that are there to alarm somebody."""
        return [line for line in self.daemon.log().splitlines() if _alarms(line)]

    def close(self) -> None:
        self.client.close()


def _alarms(line: str) -> bool:
    alarming = any(word in line for word in (" warn  ", " error ", "Traceback"))
    return alarming and "jobs run as root" not in line


def _told(param: str, headers: str, created: float) -> Told:
    facts: dict[str, Any] = json.loads(param)
    watch: dict[str, Any] = json.loads(headers)["watch"]
    deadline = watch["deadline"]
    return Told(
        **{name: facts[name] for name in ("key", "value", "key_base64", "value_base64")},
        kind=watch["kind"],
        how=watch["how"],
        lateness=None if deadline is None else float(created) - deadline,
    )


def worst(jobs: Iterable[Told]) -> float:
    """The lateness of the latest, in seconds."""
    return max((told.lateness for told in jobs if told.lateness is not None), default=0.0)


def rest(seconds: float) -> None:
    """Let time go by: the trouble is that it does."""
    ends = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= ends, seconds + PATIENCE)
