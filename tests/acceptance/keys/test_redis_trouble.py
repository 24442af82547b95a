"""Redis is away, refuses us, freezes or cuts us off, and so does the database: each expiry is one
job afterwards, it is said while it lasts, and nobody is restarted."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.keys.watching import Watching, rest, worst
from tests.acceptance.rows import Rows
from tests.servers import MariaDB, Redis

KEYS = 100
AWAY = 10.0
FROZEN = 8.0
DATABASE_AWAY = 4.0
CROWD = 4000
FLAGS = "to notify-keyspace-events"
"""In the line that a Redis with other flags is always worth."""
LONG = 1000
"""Bytes of a name: a burst of events that no socket's buffers hold."""


@pytest.fixture
def server(own_redis: Callable[..., Redis]) -> Redis:
    return own_redis()


@pytest.fixture
def here(mariadb_rows: Rows, folder: Path, server: Redis) -> Iterator[Watching]:
    """Over MariaDB and a Redis of its own, nothing started."""
    with watching(mariadb_rows, folder, server) as here:
        yield here


@contextmanager
def watching(rows: Rows, folder: Path, server: Redis) -> Iterator[Watching]:
    watching = Watching(Daemon(folder, rows.url), rows, server)
    watching.configure()
    try:
        yield watching
    finally:
        watching.daemon.clean_up()
        watching.close()


def names(count: int = KEYS, first: int = 1) -> list[str]:
    return [f"SN{number}:1" for number in range(first, first + count)]


def test_a_redis_that_is_away_at_the_start_is_waited_for(here: Watching, figures: Figures) -> None:
    here.server.stop()
    here.daemon.start()
    here.says("listener: redis://127.0.0.1", "Connection refused")
    here.rows.add([(1, "hello", None)])
    here.daemon.wait_until(lambda: here.rows.count(State.DONE) == 1, "other jobs run")
    busy = cpu_of(here)
    rest(AWAY)
    busy = cpu_of(here) - busy
    here.server.start()
    here.wait_until_heard()
    here.put(names(), 500)
    jobs = here.wait_for_jobs(names())
    here.is_well()
    figures(away_s=AWAY, cpu_s=busy, warnings=len(here.warnings()), worst_s=worst(jobs))
    assert len(here.lines("tried again until it answers")) == 1
    assert len(here.lines("answers again")) == 1


def test_a_wrong_password_is_said_until_it_is_right(here: Watching) -> None:
    here.client.config_set("requirepass", "right")
    here.client = redis.Redis.from_url(here.server.socket_url(), password="right")
    here.configure(url=here.server.url().replace("//", "//:wrong@"))
    here.daemon.start()
    here.says("listener: redis://", "invalid username-password pair", "password in redis.url")
    assert ":wrong" not in here.daemon.log() + here.daemon.cli("status").stdout
    here.client.config_set("requirepass", "wrong")
    here.wait_until_heard()
    here.put(names(), 500)
    here.wait_for_jobs(names())
    here.is_well()


def test_a_password_that_is_missing_is_mended_by_a_reload(here: Watching) -> None:
    here.client.config_set("requirepass", "right")
    here.client = redis.Redis.from_url(here.server.socket_url(), password="right")
    here.daemon.start()
    here.says("listener: redis://", "Authentication required", "password in redis.url")
    here.configure(url=here.server.url().replace("//", "//:right@"))
    assert here.daemon.cli("reload").returncode == 0
    here.wait_until_heard()
    here.put(names(1), 200)
    here.wait_for_jobs(names(1))


def test_a_redis_that_freezes_while_keys_fall_due(here: Watching, figures: Figures) -> None:
    here.start()
    here.put(names(), 3000)
    here.daemon.wait_until(lambda: here.count_armed() == KEYS, "all are armed")
    here.server.freeze()
    here.says("listener: redis://", "Timeout")
    rest(FROZEN)
    here.server.thaw()
    jobs = here.wait_for_jobs(names())
    here.is_well()
    seen = sum(told.how == "observed" for told in jobs)
    figures(keys=KEYS, frozen_s=FROZEN, observed=seen, presumed=KEYS - seen, worst_s=worst(jobs))
    assert all(told.value == "unpaid" for told in jobs)
    assert len(here.lines("tried again until it answers")) <= 2


def test_a_listener_that_is_cut_off_because_it_was_slow(here: Watching, figures: Figures) -> None:
    here.start()
    here.put(names(KEYS, CROWD), 5000)
    here.daemon.wait_until(lambda: here.count_armed() == KEYS, "some are armed")
    here.client.config_set("client-output-buffer-limit", "pubsub 32kb 16kb 1")
    listener = here.listener().pid
    os.kill(listener, signal.SIGSTOP)
    crowd = [f"SN{number:0{LONG}}:1" for number in range(CROWD)]
    try:
        for start in range(0, CROWD, 100):
            here.put(crowd[start : start + 100], 15_000)
        here.daemon.wait_until(lambda: cut_off(here) > 0, "Redis has cut it off")
    finally:
        os.kill(listener, signal.SIGCONT)
    jobs = here.wait_for_jobs(crowd + names(KEYS, CROWD))
    here.is_well()
    seen = sum(told.how == "observed" for told in jobs)
    figures(keys=len(jobs), cut_off=cut_off(here), observed=seen, worst_s=worst(jobs))
    assert all(told.value == "unpaid" for told in jobs)


def test_a_redis_that_drops_idle_connections_after_a_second(
    own_redis: Callable[..., Redis], mariadb_rows: Rows, folder: Path, figures: Figures
) -> None:
    with watching(mariadb_rows, folder, own_redis(timeout=1)) as here:
        here.start()
        here.put(names(KEYS, 1), 3500)
        rest(2.5)
        jobs = here.wait_for_jobs(names(KEYS))
        rest(3.0)
        here.put(names(KEYS, 1000), 300)
        here.wait_for_jobs(names(KEYS) + names(KEYS, 1000))
        figures(keys=2 * KEYS, worst_s=worst(jobs), warnings=len(here.warnings()))
        assert {told.how for told in here.jobs()} == {"observed"}
        assert [line for line in here.warnings() if FLAGS not in line] == []


def test_a_database_that_is_killed_while_keys_expire(
    own_mariadb: Callable[..., MariaDB], server: Redis, folder: Path, figures: Figures
) -> None:
    database = own_mariadb()
    rows = Rows(database.create_database())
    with watching(rows, folder, server) as here:
        here.start()
        here.put(names(), 1500)
        here.daemon.wait_until(lambda: here.count_armed() == KEYS, "all are armed")
        database.kill()
        here.says("Can't connect")
        # What Redis tells meanwhile stays where it is, and is no reason to hurry.
        busy, listener = cpu_of(here), here.process()
        here.put(names(KEYS, 1000), 1000)
        rest(DATABASE_AWAY)
        busy = cpu_of(here) - busy
        database.start()
        jobs = here.wait_for_jobs(names() + names(KEYS, 1000))
        here.is_well()
        figures(keys=2 * KEYS, away_s=DATABASE_AWAY, cpu_s=busy, worst_s=worst(jobs))
        assert listener == here.process()
        assert busy < DATABASE_AWAY / 4
        assert all(told.value == "unpaid" for told in jobs if told.key in names())


def cpu_of(here: Watching) -> float:
    """Seconds of processor time that the listener has taken."""
    times = psutil.Process(here.listener().pid).cpu_times()
    return float(times.user + times.system)


def cut_off(here: Watching) -> int:
    """How many connections Redis has closed because they did not read."""
    return here.server.log.read_text().count("overcoming of output buffer limits")
