"""Servers and proxies that cut who is silent: nothing is lost, and nobody is alarmed."""

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import make_url

from qsuper import Queue
from qsuper.config import Config, RedisConfig, StoreConfig
from qsuper.states import State
from qsuper.store import threads
from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import MariaDB, Redis
from tests.wait import wait_for

SPELL = 4.0
"""Seconds of silence: several times what the servers wait, and more than a connection is trusted
without a try."""
SPELLS = 3
WATCHED = "cart:*"
ALARM = re.compile(r"\S+ \S+ (warn|error|crit)\b(?!.*jobs run as root)")


class Site:
    """A MariaDB and a Redis of the test's own, and a daemon over both."""

    def __init__(self, server: MariaDB, hints: Redis, folder: Path) -> None:
        self.server, self.hints = server, hints
        self.rows = Rows(server.create_database())
        self.daemon = Daemon(folder, self.rows.url)
        self.daemon.write_config(
            redis={"url": hints.url()},
            queues={"default": {"workers": 2}},
        )
        with self.daemon.config.open("a") as config:
            config.write(f'[[watch]]\npattern = "{WATCHED}"\ntask = "take_nothing"\n')
        self.queue = Queue(
            config=Config(store=StoreConfig(url=self.rows.url), redis=RedisConfig(url=hints.url()))
        )
        self.fired = 0

    def connections(self) -> list[int]:
        """The server's ids of all connections to the database."""
        found = self.server.query(
            "SELECT id FROM information_schema.processlist"
            f" WHERE db = '{make_url(self.rows.url).database}'"
        )
        return [row[0] for row in found]

    def alarms(self) -> list[str]:
        return [line for line in self.daemon.log().splitlines() if ALARM.match(line)]

    def wait_for_done(self, count: int) -> None:
        self.daemon.wait_until(lambda: self.rows.count(State.DONE) == count, "all is done")

    def expire_a_key(self) -> None:
        self.fired += 1
        with redis.Redis.from_url(self.hints.url()) as client:
            client.set(f"cart:{self.fired}", "something", px=50)


@pytest.fixture
def site(
    own_mariadb: Callable[..., MariaDB], own_redis: Callable[..., Redis], folder: Path
) -> Iterator[Site]:
    hints = own_redis(timeout=1, notify_keyspace_events="KEA")
    site = Site(own_mariadb(wait_timeout=1, interactive_timeout=1), hints, folder)
    yield site
    site.queue.close()
    site.daemon.clean_up()


def test_servers_that_cut_who_is_silent_for_a_second_are_not_noticed(
    site: Site, figures: Figures
) -> None:
    site.daemon.start()
    for done in range(1, SPELLS + 1):
        site.queue.add("work", {"n": done})
        site.expire_a_key()
        site.wait_for_done(2 * done)
        rest(SPELL)
    assert site.alarms() == []
    assert site.daemon.status()["degraded"] == []
    for connection in site.connections():
        site.server.query(f"KILL {connection}")
    site.daemon.wait_until(site.alarms, "an alarm is seen where there is one")
    figures(idle_s=SPELL * SPELLS, alarms=0, jobs=site.rows.count(State.DONE))


def test_a_client_whose_connection_was_cut_while_it_idled_does_not_notice(site: Site) -> None:
    for _ in range(SPELLS):
        site.queue.add("work", {"n": 1})
        mine = site.connections()
        assert mine, "the queue keeps its connection"
        for connection in mine:
            site.server.query(f"KILL {connection}")
        wait_for(lambda: not site.connections(), message="it is cut")
        rest(threads.TRUSTED_FOR * 1.5)
    assert site.rows.count() == SPELLS


def test_a_forked_process_takes_a_connection_of_its_own(site: Site) -> None:
    site.queue.add("work", {"n": 1})
    rest(threads.TRUSTED_FOR * 1.5)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            site.queue.add("work", {"n": 2})
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    site.queue.add("work", {"n": 3})
    assert site.rows.count() == 3


def rest(seconds: float) -> None:
    """Let time go by: the trouble is that it does."""
    ends = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= ends, seconds + PATIENCE)
