"""Twenty times HUP under load: the workers are replaced, and nobody who waits notices."""

import signal
import time

import pytest

from tests.acceptance.ability import watched
from tests.acceptance.completions import longest_gap
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.journal import END, Event, runs_of
from tests.acceptance.load import Load, wait_for_progress
from tests.acceptance.rows import Rows
from tests.acceptance.shop import Shop

HUPS = 20
WORKERS = 4
REPLACED = "every child has been replaced"


@pytest.fixture
def shop(daemon: Daemon) -> Shop:
    daemon.write_config(
        app="shop:queue", queues={"default": {"workers": WORKERS}}, log={"level": "info"}
    )
    shop = Shop(daemon.folder)
    shop.write(1)
    return shop


def pids(daemon: Daemon) -> set[int]:
    return {record.pid for record in daemon.workers()}


def hup(daemon: Daemon) -> None:
    """One HUP, to its end: none of the workers before is left."""
    before, ended = pids(daemon), daemon.log().count(REPLACED)
    daemon.signal(signal.SIGHUP)
    daemon.wait_until(lambda: daemon.log().count(REPLACED) > ended, "the reload has ended")
    daemon.wait_until(lambda: not pids(daemon) & before, "the old workers have left")


def test_twenty_hups_lose_no_job_and_leave_no_gap(
    daemon: Daemon, rows: Rows, shop: Shop, figures: Figures
) -> None:
    load = Load(rows, longest=0.1)
    load.add(1000)
    daemon.start()
    wait_for_progress(daemon)
    began = time.monotonic_ns()
    with watched(daemon) as ability:
        for times in range(1, HUPS + 1):
            load.top_up(1000)
            shop.write(1 + times)
            hup(daemon)
            job = load.add_job("versioned")
            daemon.wait_until(lambda job=job: rows.job(job)["status"] == 1, "it has run")  # type: ignore[misc]
            assert shop.version_of(job) == 1 + times, "new code after each"
        ended = time.monotonic_ns()
    load.wait_until_done(daemon)
    assert daemon.stop() == 0
    unfinished = load.unfinished(daemon)
    load.judge(
        daemon,
        figures,
        hups=HUPS,
        jobs_cut_short=len(unfinished),
        seconds=(ended - began) / 1e9,
        longest_gap=longest_gap(daemon.events(), began, ended),
        fewest_able=ability.fewest,
        of=WORKERS,
    )
    assert not unfinished
    # What a second means depends on the machine; that no place is ever empty does not.
    assert ability.fewest == WORKERS


def test_hups_that_overtake_each_other_lose_nothing_either(
    daemon: Daemon, rows: Rows, shop: Shop, figures: Figures
) -> None:
    load = Load(rows, longest=0.1)
    load.add(1000)
    daemon.start()
    wait_for_progress(daemon)
    with watched(daemon) as ability:
        for version in range(2, HUPS + 2):
            load.top_up(500)
            wait_for_progress(daemon, 20)
            shop.write(version)
            daemon.signal(signal.SIGHUP)
        hup(daemon)
    job = load.add_job("versioned")
    load.wait_until_done(daemon)
    assert shop.version_of(job) == HUPS + 1
    assert daemon.stop() == 0
    unfinished = load.unfinished(daemon)
    load.judge(daemon, figures, jobs_cut_short=len(unfinished), fewest_able=ability.fewest)
    assert not unfinished
    assert ability.fewest == WORKERS


def test_an_old_job_finishes_on_old_code(daemon: Daemon, rows: Rows, shop: Shop) -> None:
    daemon.start()
    rows.add([(1, "hold_until_told", {"n": 1})])
    holder = daemon.running(1)
    daemon.signal(signal.SIGHUP)
    daemon.wait_until(lambda: REPLACED in daemon.log(), "the reload has ended")
    assert holder.pid in pids(daemon), "it works on beside its replacement"
    daemon.tell(1)
    daemon.wait_until(lambda: rows.job(1)["status"] == 1, "it has ended")
    daemon.wait_until(lambda: holder.pid not in pids(daemon), "and its worker has left")
    (run,) = daemon.runs(1)
    assert run.succeeded
    assert run.pid == holder.pid


def test_the_watch_sees_workers_that_are_missing(daemon: Daemon, rows: Rows, shop: Shop) -> None:
    """A negative control: a restart of all, unlike a reload, leaves places empty for a moment."""
    daemon.start()
    before = pids(daemon)
    with watched(daemon) as ability:
        for number in range(WORKERS):
            daemon.ask("restart", name=f"default[{number}]")
        daemon.wait_until(
            lambda: daemon.is_ready() and not pids(daemon) & before, "all are fresh ones"
        )
    assert ability.fewest is not None
    assert ability.fewest < WORKERS


def test_the_longest_gap_is_that_between_two_completions() -> None:
    """And a control of the other checker."""
    seconds = (0, 1, 1.5, 4, 4.2, 9)
    events = [Event(END, n, 1, int(at * 1e9)) for n, at in enumerate(seconds)]
    assert longest_gap(events) == pytest.approx(4.8)
    assert longest_gap(events, until=5e9) == pytest.approx(2.5)
    assert longest_gap([]) == 0
    assert len(runs_of(events)) == len(seconds)
