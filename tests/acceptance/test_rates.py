"""Rates: so many starts a second and no more, whoever starts them."""

import time
from itertools import pairwise

from tests.acceptance.crowd import most_at_once, most_starts_within, starts_a_second
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.journal import runs_of
from tests.acceptance.limits_app import RATE
from tests.acceptance.rows import Rows

APP = "tests.acceptance.limits_app:queue"
GRAIN = 0.002
"""Seconds by which SQLite's clock, which knows milliseconds, may be wrong."""
# Two that start the first jobs of a rate both make its row: that moves nothing.
_RECORD = {
    "sqlite": "AFTER UPDATE ON rates WHEN NEW.free_at <> OLD.free_at"
    " BEGIN INSERT INTO starts VALUES (NEW.free_at); END",
    "mysql": "AFTER UPDATE ON rates FOR EACH ROW"
    " INSERT INTO starts SELECT NEW.free_at FROM DUAL WHERE NEW.free_at <> OLD.free_at",
}


def record_starts(rows: Rows) -> None:
    """Have every reservation written down: the time at which the next start is free after it."""
    rows.run("CREATE TABLE starts (free_at DOUBLE)")
    rows.run(f"CREATE TRIGGER starts {_RECORD[rows.kind]}")


def reserved(rows: Rows, every: float) -> list[float]:
    """The Unix times of all reservations, in order."""
    return [row[0] - every for row in rows.run("SELECT free_at FROM starts ORDER BY free_at")]


def began(daemon: Daemon) -> list[float]:
    """The Unix times of all begins, in order."""
    # Whoever is interrupted between the two looks gets less than there is.
    offset = max(time.time_ns() - time.monotonic_ns() for _ in range(5))
    return sorted((run.began + offset) / 1e9 for run in runs_of(daemon.events()))


def judge(daemon: Daemon, rows: Rows, rate: float) -> None:
    """Whatever the machine was busy with: one start for each reservation, none before it, and the
    reservations one interval apart."""
    times, starts = reserved(rows, 1 / rate), began(daemon)
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert [gap for gap in gaps if gap <= 1 / rate - GRAIN] == []
    assert len(times) >= len(starts)
    lateness = [start - time for start, time in zip(starts, times, strict=False)]
    assert [late for late in lateness if late <= -GRAIN] == []


def test_no_more_jobs_start_in_a_second_than_the_rate_says(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon.write_config(app=APP)
    record_starts(rows)
    rows.add((n, "ten_a_second", {"n": n}) for n in range(1, 41))
    daemon.start()
    daemon.wait_until(lambda: rows.count(1) == 40, "every job is done")
    assert daemon.stop() == 0
    events = daemon.events()
    figures(
        rate=RATE,
        most_starts_in_a_second=most_starts_within(1.0, events),
        share_of_the_rate=starts_a_second(events) / RATE,
        moves_per_job=len(rows.moves()) / 40,
    )
    judge(daemon, rows, RATE)


def test_a_task_may_have_a_rate_and_a_limit(daemon: Daemon, rows: Rows, figures: Figures) -> None:
    daemon.write_config(app=APP)
    record_starts(rows)
    rows.add((n, "both", {"n": n, "seconds": 0.005}) for n in range(1, 301))
    daemon.start()
    daemon.wait_until(lambda: rows.count(1) == 300, "every job is done")
    assert daemon.stop() == 0
    events = daemon.events()
    figures(
        most_at_once=most_at_once(events),
        most_starts_in_a_second=most_starts_within(1.0, events),
        starts_a_second=starts_a_second(events),
        moves_per_job=len(rows.moves()) / 300,
    )
    assert most_at_once(events) <= 2
    judge(daemon, rows, 100)


def test_jobs_that_wait_for_their_start_hold_up_nobody_else(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon.write_config(
        app=APP,
        queues={"default": {"workers": 1}},
        tasks={"ten_a_second": {"rate": "1/h"}},
    )
    rows.add((n, "ten_a_second", {"n": n}) for n in range(1, 10_001))
    rows.add((n, "urgent", {"n": n}) for n in range(10_001, 10_101))
    started = time.monotonic()
    daemon.start()
    daemon.wait_until(lambda: rows.count(1) == 101, "all but those whose start is far off are done")
    figures(seconds=time.monotonic() - started)
    daemon.stop()
    order = [run.number for run in runs_of(daemon.events())]
    assert order[0] == 1
    assert sorted(order[1:]) == list(range(10_001, 10_101))
    assert rows.count(6) + rows.count(0) == 9_999


def test_a_pass_of_crontab_waits_for_its_starts(daemon: Daemon, rows: Rows) -> None:
    daemon.write_config(app=APP, tasks={"ten_a_second": {"rate": 40}})
    record_starts(rows)
    rows.add((n, "ten_a_second", {"n": n}) for n in range(1, 61))
    done = daemon.cli("work", "--slice", "1/2")
    assert done.returncode == 0, done.stderr
    assert rows.count(1) == 30
    judge(daemon, rows, 40)
