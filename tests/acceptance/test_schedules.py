"""Each due time becomes one job, whoever ticks, however often, and whatever is killed."""

import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from qsuper.scoreboard import clock
from tests.acceptance.cron import Cron, lines
from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.acceptance.schedules_app import DAILY, GATE_VARIABLE
from tests.wait import wait_for

TICKS = 5
DUE = 200
KILLS = 30
HOUR, DAY = 3600, 86_400

WAYS = {"of one schedule": ("hourly", HOUR, 1), "of twenty": ("daily %", DAY, DAILY)}
"""Of which schedules so many due times are: their names, their distance, their number."""


@pytest.fixture
def planned(daemon: Daemon) -> Daemon:
    """The daemon, its schedules seen before; it is not started."""
    daemon.write_config(app="tests.acceptance.schedules_app:queue")
    assert daemon.cli("cron", "tick").stdout == f"{DAILY + 1} schedules: 0 jobs made\n"
    return daemon


def set_back(rows: Rows, names: str, seconds: float) -> None:
    """Nobody has ticked for so long."""
    since = {
        "sqlite": f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-{seconds:.0f} seconds')",
        "mysql": f"CURRENT_TIMESTAMP(6) - INTERVAL {seconds:.0f} SECOND",
    }[rows.kind]
    rows.run(f"UPDATE schedules SET since = {since} WHERE name LIKE :names", names=names)


@contextmanager
def ticks(daemon: Daemon, count: int, round_: int = 0) -> Iterator[list["subprocess.Popen[str]"]]:
    """So many `cron tick`, which wait for the end of the block just before they begin."""
    gate = daemon.folder / f"gate-{round_}"
    started = [
        subprocess.Popen(
            daemon.command("cron", "tick"),
            cwd=daemon.folder,
            env={**daemon.environ, GATE_VARIABLE: str(gate)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        ready = [gate.with_name(f"{gate.name}.{one.pid}") for one in started]
        wait_for(lambda: all(path.exists() for path in ready), PATIENCE, "all are at the gate")
        yield started
    finally:
        gate.touch()


def said(tick: "subprocess.Popen[str]") -> int:
    """How many jobs a tick has made, as it says."""
    out, errors = tick.communicate(timeout=PATIENCE)
    assert (tick.returncode, errors) == (0, ""), errors
    return int(out.split(": ")[1].split()[0])


def runs(rows: Rows) -> list[tuple[str, str, int | None]]:
    """Every due time that was decided, by its schedule."""
    found = rows.run("SELECT name, due_at, job_id FROM schedule_runs")
    return [(name, str(due), job) for name, due, job in found]


@pytest.mark.parametrize("way", WAYS)
def test_five_ticks_at_once_and_a_keeper_make_one_job_of_each_due_time(
    way: str, planned: Daemon, rows: Rows, figures: Figures
) -> None:
    names, distance, schedules = WAYS[way]
    planned.start()
    keeper = planned.child("keeper")
    assert keeper is not None
    os.kill(keeper.pid, signal.SIGSTOP)
    with ticks(planned, TICKS) as started:
        set_back(rows, names, DUE / schedules * distance)
        # Its chores are overdue: it begins as soon as it may, and the ticks with it.
        wait_for(lambda: clock() - keeper.beat > 1.1, PATIENCE)
        stopped_at = keeper.beat
        os.kill(keeper.pid, signal.SIGCONT)
        while keeper.beat == stopped_at and clock() - stopped_at < PATIENCE:
            pass
    made = [said(one) for one in started]
    planned.wait_until(lambda: len(runs(rows)) >= DUE, "all are decided")
    planned.wait_until(lambda: rows.count() == rows.count(1), "all have run")
    found = runs(rows)
    figures(
        due_times=DUE,
        jobs=rows.count(),
        by_ticks="+".join(map(str, made)),
        by_the_keeper=rows.count() - sum(made),
    )
    assert rows.count(1) == DUE
    assert len({(name, due) for name, due, _ in found}) == DUE
    assert len({job for _, _, job in found}) == DUE
    assert planned.stop() == 0


def test_ticks_without_their_guard_are_noticed(
    planned: Daemon, rows: Rows, figures: Figures
) -> None:
    planned.write_config(app="tests.acceptance.schedules_unguarded_app:queue")
    with ticks(planned, TICKS) as started:
        set_back(rows, "daily %", DUE / DAILY * DAY)
    made = [said(one) for one in started]
    figures(due_times=DUE, jobs=rows.count(), by_ticks="+".join(map(str, made)))
    assert rows.count() > DUE


def test_a_tick_that_is_killed_loses_nothing(planned: Daemon, rows: Rows, figures: Figures) -> None:
    """A tick's due times are decided, with their jobs, or nothing of it is there."""
    luck = random.Random(7)
    found: Counter[int] = Counter()
    for number in range(KILLS):
        with ticks(planned, 1, number) as (one,):
            set_back(rows, "hourly", DUE * HOUR)
        # From nothing to what a whole tick takes.
        with suppress(subprocess.TimeoutExpired):
            one.wait(timeout=luck.uniform(0.0, 0.1) ** 2 * 10)
        one.kill()
        one.communicate()
        assert rows.count() == len(runs(rows))
        found[rows.count()] += 1
        if rows.count():
            rows.run("DELETE FROM queue")
            rows.run("DELETE FROM schedule_runs")
    figures(kills=KILLS, all_was_there=found[DUE], nothing_was_there=found[0])
    assert found[DUE] + found[0] == KILLS
    set_back(rows, "hourly", DUE * HOUR)
    assert planned.cli("cron", "tick").stdout.count(f" {DUE} jobs made") == 1
    assert rows.count() == len(runs(rows)) == DUE


def test_a_shop_without_the_daemon_makes_and_runs_what_is_due_by_the_examples_lines(
    planned: Daemon, rows: Rows
) -> None:
    cron = Cron(planned)
    try:
        set_back(rows, "hourly", 30 * HOUR)
        # A tick and passes that are killed, wherever they are.
        for line in (lines()[-1], lines()[-1], lines()[3]):
            one = cron.start(line)
            one.kill()
            one.communicate()

        def over() -> bool:
            cron.minute()
            return rows.count(1) == len(runs(rows)) == 30

        wait_for(over, PATIENCE, "all are made and run")
    finally:
        cron.clean_up()


def test_the_keeper_makes_what_is_due_and_the_list_tells_it(planned: Daemon, rows: Rows) -> None:
    set_back(rows, "hourly", 3 * HOUR)
    planned.start()
    planned.wait_until(lambda: rows.count(1) == 3, "made and run")
    listed = json.loads(planned.cli("cron", "list", "--json").stdout)
    (one,) = [found for found in listed if found["name"] == "hourly"]
    assert (one["status"], one["state"], one["missed"]) == ("active", "done", 0)
    assert one["next"] > one["now"] >= one["last"]
