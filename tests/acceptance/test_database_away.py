"""The database goes away under load, in every way: nothing is lost, nothing runs twice at once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from qsuper.states import State
from tests.acceptance import journal
from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import MariaDB
from tests.wait import wait_for

JOBS = 1000
"""That many at least are left to do when the trouble comes."""
SECONDS = 0.004
"""Of one job: short enough for batches, so that claims and acks of many are cut."""
IDLE = 1.5
"""Seconds in which a server with wait_timeout = 1 drops who says nothing."""
FROZEN = 2.5


class Site:
    """A server of the test's own, a daemon over it, and what it has been asked to run."""

    def __init__(self, server: MariaDB, folder: Path) -> None:
        self.server = server
        self.rows = Rows(server.create_database())
        self.daemon = Daemon(folder, self.rows.url)
        self.expected: set[int] = set()

    def start(self, **store: object) -> None:
        self.daemon.write_config(store={"url": self.rows.url, **store})
        self.daemon.start()

    def add(self, count: int, seconds: float = SECONDS) -> None:
        first = len(self.expected) + 1
        numbers = range(first, first + count)
        self.expected.update(numbers)
        self.rows.add((n, "work", {"n": n, "seconds": seconds}) for n in numbers)

    def begun(self, more: int) -> None:
        """Wait until so many more jobs have begun, with enough left to do: the load is on."""
        goal = len(self.daemon.runs()) + more
        while goal + JOBS > len(self.expected):
            self.add(JOBS)
        self.daemon.wait_until(lambda: len(self.daemon.runs()) >= goal, "the load goes on")

    def connections(self) -> list[int]:
        """The server's ids of the daemon's connections."""
        database = make_url(self.rows.url).database
        found = self.server.query(
            f"SELECT id FROM information_schema.processlist WHERE db = '{database}'"
        )
        return [row[0] for row in found]


@pytest.fixture
def site(own_mariadb: Callable[..., MariaDB], folder: Path) -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def make(**options: object) -> Site:
        sites.append(Site(own_mariadb(**options), folder))
        return sites[-1]

    yield make
    for one in sites:
        one.daemon.clean_up()


def test_a_server_that_drops_idle_connections_after_a_second(
    site: Callable[..., Site], figures: Figures
) -> None:
    here = site(wait_timeout=1)
    here.start()
    # Longer than the server waits for others: our sessions have asked it for more.
    here.add(12, seconds=1.3)
    here.daemon.wait_until(lambda: here.rows.count(State.DONE) == 12, "long jobs are done")
    for _ in range(2):
        here.add(100)
        finished(here)
        rest(IDLE)
    judge(here, figures)


def test_a_server_that_is_killed_and_restarted_under_load(
    site: Callable[..., Site], figures: Figures
) -> None:
    here = site()
    here.start()
    for _ in range(3):
        here.begun(200)
        here.server.kill()
        here.server.start()
    judge(here, figures, kills=3)


def test_connections_that_are_killed_again_and_again_under_load(
    site: Callable[..., Site], figures: Figures
) -> None:
    here = site()
    here.start()
    cut = 0
    for _ in range(20):
        here.begun(60)
        for connection in here.connections():
            here.server.query(f"KILL {connection}")
            cut += 1
    assert cut > 50, "there was nothing to cut"
    judge(here, figures, connections_cut=cut)


@pytest.mark.parametrize("read_timeout", [1, 30], ids=["impatient", "patient"])
def test_a_server_that_freezes_for_some_seconds_under_load(
    read_timeout: int, site: Callable[..., Site], figures: Figures
) -> None:
    here = site()
    here.start(read_timeout=read_timeout, connect_timeout=1)
    here.begun(300)
    here.server.freeze()
    rest(FROZEN)
    here.server.thaw()
    judge(here, figures)


def finished(here: Site) -> None:
    here.daemon.wait_until(
        lambda: here.rows.count(State.DONE) == len(here.expected), "all jobs are done"
    )


def judge(here: Site, figures: Figures, **told: int) -> None:
    """All done, none lost, none overlapping, none again; and the same workers as ever."""
    finished(here)
    runs = here.daemon.runs()
    lost = journal.lost(here.expected, runs)
    overlapping = journal.overlapping(here.daemon.events())
    again = journal.again_after_ack(here.rows.moves(), runs)
    twice = len(runs) - len({run.number for run in runs})
    said = here.daemon.log().count(" the database: ")
    figures(
        jobs=len(here.expected),
        **told,
        times_it_was_said=said,
        lost=len(lost),
        overlapping=len(overlapping),
        again_after_ack=len(again),
        run_twice=twice,
    )
    assert not lost
    assert not overlapping
    assert not again
    wait_for(lambda: not here.daemon.status()["degraded"], PATIENCE, "all is well again")
    assert all(child["restarts"] == 0 for child in here.daemon.status()["children"])


def rest(seconds: float) -> None:
    """Let time go by: the trouble is that it does."""
    ends = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= ends, seconds + PATIENCE)
