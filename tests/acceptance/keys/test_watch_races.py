"""Listeners beside each other of which one is late, and lives too short to be looked at."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.acceptance.figures import Figures
from tests.acceptance.keys.expiries import Life, Told, judge
from tests.acceptance.keys.watched import Watched
from tests.acceptance.rows import Rows
from tests.servers import Redis

BEHIND = 8.0
"""Seconds for which one listener hears nothing while the other works."""
KEYS = 1000
OVERDUE = 5000
"""More than a listener has looked at in the first moments."""


@pytest.fixture
def pair(
    mariadb_rows: Rows, own_redis: Callable[..., Redis], folder: Path
) -> Iterator[list[Watched]]:
    """Two daemons on one database and one Redis, which expires keys only when they are touched."""
    server = own_redis(enable_debug_command="yes")
    with ExitStack() as stack:
        daemons = [Watched(folder / name, mariadb_rows, server) for name in "ab"]
        for one in daemons:
            stack.callback(one.clean_up)
            one.daemon.start()
        daemons[0].wait_until_heard()
        expire_by_itself(server, False)
        yield daemons


def expire_by_itself(server: Redis, does: bool) -> None:
    """Whether the server ends keys that nobody touches."""
    with redis.Redis.from_url(server.socket_url()) as client:
        debug: Any = client.execute_command
        debug("DEBUG", "SET-ACTIVE-EXPIRE", int(does))


def told(daemons: Sequence[Watched]) -> list[Told]:
    return [line for one in daemons for line in one.told()]


def put(here: Watched, names: Iterable[str], value: str, px: int) -> list[Life]:
    names = list(names)
    with here.client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.set(name, value, px=px)
        pipeline.execute()
    return [(name, value) for name in names]


def wait_until_told(daemons: Sequence[Watched], ended: Sequence[Life]) -> None:
    daemons[0].daemon.wait_until(
        lambda: not judge(ended, told(daemons)).missing, "every expiry has its job"
    )


def wait_until_both_are_through(daemons: Sequence[Watched]) -> None:
    """Each listener alone has made a job of a key that was set after all the others."""
    for one in daemons:
        name = f"w:through:{one.daemon.folder.name}"
        others = [other.daemon.child("listener") for other in daemons if other is not one]
        for other in others:
            assert other is not None
            os.kill(other.pid, signal.SIGSTOP)
        try:
            one.client.set(name, "last", px=500)
            one.daemon.wait_until(partial(has_told, daemons, name), "it is through")
        finally:
            for other in others:
                assert other is not None
                os.kill(other.pid, signal.SIGCONT)
    daemons[0].daemon.wait_until(lambda: daemons[0].rows.count(0, 2, 4) == 0, "no job waits")


def has_told(daemons: Sequence[Watched], name: str) -> bool:
    return any(line.key == name for line in told(daemons))


def verdict_of(daemons: Sequence[Watched], ended: Sequence[Life]) -> str:
    found = judge(ended, [one for one in told(daemons) if "through" not in one.key])
    return str(found)


def test_a_listener_that_hears_of_it_late_makes_no_second_job(
    pair: list[Watched], figures: Figures
) -> None:
    """All of their lives have passed by the time it reads of their beginning."""
    late = pair[1].daemon.child("listener")
    assert late is not None
    os.kill(late.pid, signal.SIGSTOP)
    ended = put(pair[0], (f"w:{n}" for n in range(KEYS)), "a", px=1500)
    wait_until_told(pair, ended)
    again = put(pair[0], (f"w:{n}" for n in range(0, KEYS, 10)), "b", px=1500)
    wait_until_told(pair, [*ended, *again])
    time.sleep(BEHIND)
    os.kill(late.pid, signal.SIGCONT)
    wait_until_both_are_through(pair)
    wrong = verdict_of(pair, [*ended, *again])
    figures(expired=KEYS + len(again), wrong=wrong or 0)
    assert not wrong


def test_a_listener_that_returns_to_keys_long_overdue_makes_no_second_job_of_another_s(
    pair: list[Watched], figures: Figures
) -> None:
    """It has subscribed, and stalls; the other one makes them expire, long after they were due."""
    first, late = pair
    ended = put(first, (f"w:{n}" for n in range(OVERDUE)), "a", px=4000)
    first.wait_until_armed(OVERDUE)
    for one in pair:
        one.daemon.stop()
    time.sleep(4.0 + BEHIND)
    late.daemon.start(ready=False)
    while not first.client.pubsub_numpat():
        time.sleep(0.001)
    pid = stall(late)
    stalled_at = len(told(pair))
    first.daemon.start()
    wait_until_told(pair, ended)
    os.kill(pid, signal.SIGCONT)
    wait_until_both_are_through(pair)
    wrong = verdict_of(pair, ended)
    figures(expired=OVERDUE, told_before=stalled_at, wrong=wrong or 0)
    assert stalled_at < OVERDUE / 2, "it was not stopped in time"
    assert not wrong


def stall(here: Watched) -> int:
    """Stop its listener where it holds no row that others want; its pid."""
    open_ones = "SELECT 1 FROM information_schema.innodb_trx WHERE trx_rows_locked > 0"
    while True:
        listener = here.daemon.child("listener")
        assert listener is not None
        os.kill(listener.pid, signal.SIGSTOP)
        # What is under way in the server ends without it.
        time.sleep(0.05)
        if not here.rows.run(open_ones):
            return listener.pid
        os.kill(listener.pid, signal.SIGCONT)
        time.sleep(0.01)


def test_a_life_too_short_to_be_looked_at_makes_one_job_and_its_value_is_never_made_up(
    pair: list[Watched], figures: Figures
) -> None:
    """What is told is the last value that was seen, or none."""
    names = [f"w:{n}" for n in range(500)]
    put(pair[0], names, "before", px=100_000)
    pair[0].wait_until_armed(len(names))
    expire_by_itself(pair[0].server, True)
    for number, name in enumerate(names):
        pair[0].client.set(name, "short", px=1 + number % 4)
        time.sleep(0.004)
    pair[0].daemon.wait_until(
        lambda: {one.key for one in told(pair)} >= set(names), "every expiry has its job"
    )
    wait_until_both_are_through(pair)
    lines = [one for one in told(pair) if one.key in set(names)]
    values = [one.value for one in lines]
    figures(
        expired=len(names),
        jobs=len(lines),
        **{str(value): values.count(value) for value in sorted(set(values), key=str)},
    )
    assert len(lines) == len(names)
    assert set(values) <= {"short", "before", None}
    # A deadline is told only with the value of the very life that had it.
    assert all(one.value == "short" for one in lines if one.deadline is not None)
