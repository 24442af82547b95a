"""Keys that fall due while Redis, its data, or the listener is away; and a Redis that forbids."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import redis

from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.keys.expiries import Life, Told
from tests.acceptance.keys.watched import Watched
from tests.acceptance.rows import Rows
from tests.servers import Redis

KEYS = 100
OBSERVED, PRESUMED = "observed", "presumed"
BESIDE = 30_000
"""Other keys with a time to live, among which Redis finds what has expired too late."""
LONG = 3_600_000

Site = Callable[..., Watched]


@pytest.fixture
def site(rows: Rows, own_redis: Callable[..., Redis], folder: Path) -> Iterator[Site]:
    """A daemon that listens to a Redis of the test's own, on every engine in turn."""
    yield from _sites(rows, own_redis, folder)


@pytest.fixture
def one_site(mariadb_rows: Rows, own_redis: Callable[..., Redis], folder: Path) -> Iterator[Site]:
    """The same on MariaDB only: what differs between databases is not in question."""
    yield from _sites(mariadb_rows, own_redis, folder)


def _sites(rows: Rows, own_redis: Callable[..., Redis], folder: Path) -> Iterator[Site]:
    with ExitStack() as stack:

        def start(
            *, app: str | None = None, user: str = "", heard: bool = True, **options: object
        ) -> Watched:
            server = own_redis(**options)
            here = Watched(folder / "w", rows, server, **({"app": app} if app else {}))
            stack.callback(here.clean_up)
            if user:
                grant(here, f"on >secret {user}")
                url = server.url().replace("redis://", "redis://shop:secret@")
                here.configure(app="tests.acceptance.keys.watch_app:queue", redis={"url": url})
            here.daemon.start()
            if heard:
                here.wait_until_heard()
            return here

        yield start


def grant(here: Watched, rights: str) -> None:
    """Make the user under which the listener comes, or give it more rights."""
    with redis.Redis.from_url(here.server.socket_url()) as client:
        client.execute_command("ACL", "SETUSER", "shop", *rights.split())


def put(here: Watched, names: Iterable[str], due: float, value: str = "a") -> list[Life]:
    """Set keys that expire at a Unix time, one millisecond after the other."""
    lives: list[Life] = []
    with here.client.pipeline(transaction=False) as pipeline:
        for number, name in enumerate(names):
            pipeline.set(name, value, pxat=int(due * 1000) + number)
            lives.append((name, value))
        pipeline.execute()
    return lives


def named(count: int = KEYS) -> list[str]:
    return [f"w:{number}" for number in range(count)]


def judge(here: Watched, lives: Sequence[Life], how: str) -> list[Told]:
    """Each of these became one job, all told so; and nothing else did."""
    here.wait_until_told(lives)
    here.wait_until_quiet()
    verdict = here.verdict(lives)
    assert not verdict, str(verdict)
    found = [one for one in here.told() if one.life in set(lives)]
    assert {one.how for one in found} == {how}
    return found


def wait_until_past(due: float) -> None:
    """Until all that was put for this moment is due: milliseconds later, one after the other."""
    time.sleep(max(0.0, due + 1.0 - time.time()))


def test_keys_that_fall_due_while_redis_has_lost_them_fire_after_its_return(
    site: Site, figures: Figures
) -> None:
    here = site()
    due = time.time() + 3.0
    lives = put(here, named(), due)
    here.wait_until_armed(KEYS)
    here.server.kill()
    wait_until_past(due)
    here.server.start()
    found = judge(here, lives, PRESUMED)
    figures(keys=KEYS, fired=len(found), presumed=len(found))


def test_keys_that_are_alive_after_a_restart_fire_on_time(one_site: Site, figures: Figures) -> None:
    here = one_site(appendonly="yes", appendfsync="always")
    lives = put(here, named(), time.time() + 8.0)
    here.wait_until_armed(KEYS)
    here.server.kill()
    here.server.start()
    found = judge(here, lives, OBSERVED)
    late = sorted(one.late or 0.0 for one in found)
    figures(keys=KEYS, observed=len(found), median_late=late[KEYS // 2], most_late=late[-1])


def test_keys_that_fall_due_while_the_daemon_is_down_fire_after_its_start(
    site: Site, figures: Figures
) -> None:
    here = site()
    due = time.time() + 3.0
    gone, deleted, moved = named(), [f"w:d{n}" for n in range(10)], [f"w:m{n}" for n in range(10)]
    lives = put(here, [*gone, *deleted], due)
    put(here, moved, due)
    here.wait_until_armed(KEYS + 20)
    here.daemon.stop()
    here.client.delete(*deleted)
    put(here, moved, due + 6.0, "b")
    wait_until_past(due)
    # Redis would not tell anybody who was not there.
    assert here.client.exists(*gone) == 0
    here.daemon.start()
    # What was deleted meanwhile looks like what expired.
    here.wait_until_told(lives)
    assert not [one for one in here.told() if one.key in moved]
    assert {one.how for one in here.told()} == {PRESUMED}
    here.wait_until_told([*lives, *((name, "b") for name in moved)])
    here.wait_until_quiet()
    verdict = here.verdict([*lives, *((name, "b") for name in moved)])
    figures(due_meanwhile=KEYS + 10, moved=10, wrong=str(verdict) or 0)
    assert not verdict, str(verdict)


FORBIDDEN = "~* &* +@all -config"


def test_where_config_is_forbidden_everything_fires_and_status_says_what_to_set(
    site: Site, figures: Figures
) -> None:
    here = site(user=FORBIDDEN, heard=False)
    due = time.time() + 6.0
    lives = put(here, named(), due)
    here.wait_until_armed(KEYS)
    shown = here.daemon.cli("status").stdout
    assert re.search(r"^! listener: notify-keyspace-events cannot be set by us .*Kg\$xe", shown)
    here.wait_until_told(lives)
    here.daemon.wait_until(lambda: here.rows.count(0, 2, 4) == 0, "no job waits")
    verdict = here.verdict(lives)
    late = sorted(one.late or 0.0 for one in here.told())
    figures(keys=KEYS, wrong=str(verdict) or 0, median_late=late[KEYS // 2], most_late=late[-1])
    assert not verdict, str(verdict)
    assert here.daemon.log().count("cannot be set by us") == 1


def test_where_config_is_forbidden_and_the_flags_are_set_nothing_is_wrong(one_site: Site) -> None:
    here = one_site(user=FORBIDDEN, heard=False, notify_keyspace_events="AKE")

    def is_well() -> bool:
        here.client.set("w:sentinel", "", ex=3600)
        return not here.daemon.status()["degraded"]

    here.daemon.wait_until(is_well, "an event has shown that events come")
    judge(here, put(here, named(), time.time() + 2.0), OBSERVED)


def test_where_nobody_may_listen_everything_fires_and_status_says_what_to_grant(
    one_site: Site,
) -> None:
    here = one_site(user="~* resetchannels +@all", heard=False)
    lives = put(here, named(), time.time() + 5.0)
    here.wait_until_armed(KEYS)
    shown = here.daemon.cli("status").stdout
    assert re.search(r"^! listener: .* may not listen to keys: grant it &__keyspace@0__:w:", shown)
    here.wait_until_told(lives)
    assert not here.verdict(lives)
    grant(here, "&__keyspace@0__:w:* &__keyspace@0__:w:overlap:* &__keyspace@0__:w:both:*")
    grant(here, "&__keyspace@1__:w:moved:*")
    here.daemon.wait_until(lambda: not here.daemon.status()["degraded"], "it hears now")
    more = put(here, [f"w:heard{number}" for number in range(10)], time.time() + 2.0)
    here.wait_until_told(more)
    assert {one.how for one in here.told_of("heard")} == {OBSERVED}


def test_flags_that_another_program_takes_away_are_added_again_and_its_own_stay(
    one_site: Site,
) -> None:
    here = one_site(notify_keyspace_events="El")
    assert flags_of(here) == set("ElKg$xe")
    lives = put(here, named(), time.time() + 4.0)
    here.wait_until_armed(KEYS)
    here.client.config_set("notify-keyspace-events", "Ex")
    lives += put(here, [f"w:unheard{n}" for n in range(10)], time.time() + 20.0)
    here.daemon.wait_until(lambda: flags_of(here) >= set("Kg$xe"), "they are added again")
    assert flags_of(here) == set("ExKg$e")
    here.wait_until_told(lives)
    here.wait_until_quiet()
    verdict = here.verdict(lives)
    assert not verdict, str(verdict)
    assert here.daemon.log().count(" to notify-keyspace-events") == 2


def flags_of(here: Watched) -> set[str]:
    return set(str(here.client.config_get("notify-keyspace-events")["notify-keyspace-events"]))


def test_without_the_touch_keys_expire_late_beside_many_others(
    one_site: Site, figures: Figures
) -> None:
    """And with it they do not: Redis finds few of them in good time by itself."""
    fired = {}
    for app in ("watch_untouched_app", "watch_app"):
        here = one_site(app=f"tests.acceptance.keys.{app}:queue", heard=False)
        with here.client.pipeline(transaction=False) as pipeline:
            for number in range(BESIDE):
                pipeline.set(f"cache:{number}", "x", px=LONG)
            pipeline.execute()
        due = time.time() + 3.0
        lives = put(here, named(), due)
        here.wait_until_armed(KEYS)
        if app == "watch_app":
            here.wait_until_told(lives)
        wait_until_past(due + 3.0)
        fired[app] = len({one.key for one in here.told()})
        here.clean_up()
        here.daemon.journal.unlink(missing_ok=True)
    figures(keys=KEYS, **fired)
    assert fired["watch_untouched_app"] < KEYS
    assert fired["watch_app"] == KEYS


@pytest.mark.parametrize("app", ["watch_app", "watch_unwalked_app"])
def test_a_key_that_was_set_while_nobody_listened_is_found_by_the_walk(
    one_site: Site, app: str
) -> None:
    here = one_site(app=f"tests.acceptance.keys.{app}:queue")
    here.daemon.stop()
    lives = put(here, named(), time.time() + 6.0)
    here.daemon.start()
    here.wait_until_quiet()
    if app == "watch_app":
        judge(here, lives, OBSERVED)
        return
    # Without the walk nobody knows of them, touches them, or has seen what they held.
    here.client.exists(*named())
    assert here.verdict(lives).missing


def test_keys_that_nobody_can_watch_are_said(mariadb_rows: Rows, folder: Path) -> None:
    daemon = Daemon(folder, mariadb_rows.url)
    try:
        daemon.write_config(app="tests.acceptance.keys.watch_app:queue")
        daemon.start()
        daemon.wait_until(partial(complains, daemon, "watched by nobody: set redis.url"), "said")
    finally:
        daemon.clean_up()


def test_two_nodes_with_a_redis_of_their_own_each_are_said(
    mariadb_rows: Rows, folder: Path
) -> None:
    """The ledger knows keys, not servers."""
    daemons = []
    try:
        for name in ("a", "b"):
            (folder / name).mkdir()
            daemons.append(Daemon(folder / name, mariadb_rows.url))
            daemons[-1].write_config(redis={"url": "embedded"})
            daemons[-1].start()
        for daemon in daemons:
            daemon.wait_until(partial(complains, daemon, "an embedded Redis is for one"), "said")
    finally:
        for daemon in daemons:
            daemon.clean_up()


def complains(daemon: Daemon, words: str) -> bool:
    """Whether `status` says so."""
    return words in "".join(daemon.status()["degraded"])
