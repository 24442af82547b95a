"""Keys that are set again at the very moment they expire; and listeners beside each other."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.figures import Figures
from tests.acceptance.keys.expiries import Life, Told, judge
from tests.acceptance.keys.watched import Watched
from tests.acceptance.rows import Rows
from tests.servers import Redis

RACES = 500
OVER = 5.0
"""Seconds over which the races are spread."""
AROUND = 0.005
"""Seconds before and after a key's deadline at which it is set again."""
SOON = 1000
KEYS = 2105
"""Of which 105 are deleted, and 2,000 expire."""


@pytest.fixture
def site(
    mariadb_rows: Rows, own_redis: Callable[..., Redis], folder: Path
) -> Iterator["Callable[..., list[Watched]]"]:
    """Some daemons on one database and one Redis."""
    with ExitStack() as stack:

        def start(count: int, **how: str) -> list[Watched]:
            server = own_redis()
            daemons = [
                Watched(folder / str(number), mariadb_rows, server, **how)
                for number in range(count)
            ]
            for one in daemons:
                stack.callback(one.clean_up)
                one.daemon.start()
            daemons[0].wait_until_heard()
            return daemons

        yield start


def told(daemons: Sequence[Watched]) -> list[Told]:
    return [line for one in daemons for line in one.told()]


def race(here: Watched) -> tuple[list[Life], int]:
    """Set keys again around their deadlines; which lives have ended, as Redis itself says, and
    how many of the first ones were replaced."""
    started = time.time() + 1.0
    deadlines = [started + OVER * number / RACES for number in range(RACES)]
    with here.client.pipeline(transaction=False) as pipeline:
        for number, deadline in enumerate(deadlines):
            pipeline.set(f"w:{number}", "a", pxat=int(deadline * 1000))
        pipeline.execute()
    ended: list[Life] = []
    replaced = 0
    moments = [deadline + random.uniform(-AROUND, AROUND) for deadline in deadlines]
    for number in sorted(range(RACES), key=lambda number: moments[number]):
        time.sleep(max(0.0, moments[number] - time.time()))
        name = f"w:{number}"
        # One command, one moment: what it had, or that it had nothing any more.
        before = here.client.set(name, "b", px=SOON, get=True)
        assert before in ("a", None)
        ended += [(name, "b")] if before else [(name, "a"), (name, "b")]
        replaced += before is not None
    return ended, replaced


@pytest.mark.parametrize("count", [1, 2])
def test_a_key_that_is_set_again_as_it_expires_fires_once_for_each_life_that_ended(
    site: Callable[..., list[Watched]], count: int, figures: Figures
) -> None:
    daemons = site(count)
    ended, replaced = race(daemons[0])
    daemons[0].daemon.wait_until(
        lambda: not judge(ended, told(daemons)).missing, "every life that ended has its job"
    )
    daemons[0].client.set("w:last", "last", px=1500)
    daemons[0].daemon.wait_until(
        lambda: any(one.key == "w:last" for one in told(daemons)), "the last key has its job"
    )
    lines = [one for one in told(daemons) if one.key != "w:last"]
    verdict = judge(ended, lines)
    figures(
        listeners=count,
        races=RACES,
        replaced=replaced,
        expired=RACES - replaced,
        missing=len(verdict.missing),
        doubled=len(verdict.doubled),
        unexpected=len(verdict.unexpected),
    )
    assert not verdict, str(verdict)


def expire_many(here: Watched, over: float = 8.0) -> list[Life]:
    """Keys that expire one after the other, some of them deleted or set again before; which
    lives end."""
    now = time.time() + 1.0
    ended: list[Life] = []
    with here.client.pipeline(transaction=False) as pipeline:
        for number in range(KEYS):
            name, deadline = f"w:{number}", int((now + over * number / KEYS) * 1000)
            pipeline.set(name, "a", pxat=deadline)
            if number % 20 == 7:
                pipeline.delete(name)
            elif number % 20 == 13:
                pipeline.set(name, "b", pxat=deadline + 500)
                ended.append((name, "b"))
            else:
                ended.append((name, "a"))
        pipeline.execute()
    return ended


def test_two_masters_make_one_job_of_each_expiry(
    site: Callable[..., list[Watched]], figures: Figures
) -> None:
    daemons = site(2)
    ended = expire_many(daemons[0])
    daemons[0].daemon.wait_until(
        lambda: not judge(ended, told(daemons)).missing, "every expiry has its job"
    )
    daemons[0].wait_until_armed(0)
    daemons[0].daemon.wait_until(lambda: daemons[0].rows.count(0, 2, 4) == 0, "no job waits")
    verdict = judge(ended, told(daemons))
    late = sorted(one.late or 0.0 for one in told(daemons))
    figures(
        expired=len(ended),
        missing=len(verdict.missing),
        doubled=len(verdict.doubled),
        unexpected=len(verdict.unexpected),
        median_late=late[len(late) // 2],
        most_late=late[-1],
    )
    assert not verdict, str(verdict)


def test_the_checker_sees_listeners_whose_firings_nobody_guards(
    site: Callable[..., list[Watched]], figures: Figures
) -> None:
    daemons = site(2, app="tests.acceptance.keys.watch_unguarded_app:queue")
    ended = expire_many(daemons[0], over=2.0)
    daemons[0].daemon.wait_until(
        lambda: not judge(ended, told(daemons)).missing, "every expiry has its job"
    )
    verdict = judge(ended, told(daemons))
    figures(expired=len(ended), doubled=len(verdict.doubled))
    assert verdict.doubled


def test_a_listener_killed_again_and_again_makes_one_job_of_each_expiry(
    site: Callable[..., list[Watched]], figures: Figures
) -> None:
    (here,) = site(1)
    ended = expire_many(here, over=16.0)
    killed = 0
    while killed < 20:
        record = here.daemon.wait_until(lambda: here.daemon.child("listener"), "it listens")
        assert record is not None
        time.sleep(random.uniform(0.2, 0.8))
        here.daemon.kill(record)
        killed += 1
    here.wait_until_told(ended)
    here.wait_until_quiet()
    verdict = here.verdict(ended)
    late = sorted(one.late or 0.0 for one in here.told())
    figures(
        kills=killed,
        expired=len(ended),
        missing=len(verdict.missing),
        doubled=len(verdict.doubled),
        unexpected=len(verdict.unexpected),
        presumed=sum(one.how == "presumed" for one in here.told()),
        most_late=late[-1],
    )
    assert not verdict, str(verdict)
