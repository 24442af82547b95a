"""Workers that follow the backlog, on real processes."""

import json
import signal
from itertools import pairwise
from typing import Any

from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.load import Load
from tests.acceptance.rows import Rows

COOL_DOWN = 5.0
BURST = 400
"""Jobs of 0.3 seconds."""


def configure(daemon: Daemon, *, most: int = 8, least: int = 1) -> None:
    bounds = {"min": least, "max": most, "cool_down": COOL_DOWN, "pressure": 100}
    daemon.write_config(queues={"default": {"workers": bounds}, "mail": {"workers": 1}})


def decisions(daemon: Daemon) -> list[dict[str, Any]]:
    """Those that changed something, as `qsuper status` has them."""
    told: list[dict[str, Any]] = daemon.status()["decisions"]
    return [one for one in told if one["before"] != one["after"]]


def have(daemon: Daemon, workers: int) -> None:
    daemon.wait_until(
        lambda: len(daemon.workers("default")) == workers, f"there are {workers} workers"
    )


def burst(load: Load, rows: Rows) -> None:
    first, load.last = load.last + 1, load.last + BURST
    rows.add(
        (number, "work", {"n": number, "seconds": 0.3}) for number in range(first, load.last + 1)
    )


def test_a_burst_is_met_with_eight_workers_and_none_is_kept_or_cut(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    load = Load(rows)
    configure(daemon)
    daemon.start()
    burst(load, rows)
    have(daemon, 8)
    up = decisions(daemon)
    # It is claimed before all others, and outlasts them.
    held = load.add_job("hold_until_told")
    holder = daemon.running(held)
    daemon.wait_until(lambda: rows.count(1) == load.last - 1, "the burst is worked off", 300)
    have(daemon, 2)
    assert holder.pid in {worker.pid for worker in daemon.workers("default")}
    assert daemon.worker_of(held) is not None
    daemon.tell(held)
    have(daemon, 1)
    load.wait_until_done(daemon)
    explained = daemon.cli("scale", "--explain")
    told = decisions(daemon)
    assert daemon.stop() == 0

    unfinished = load.unfinished(daemon)
    down = told[len(up) :]
    load.judge(
        daemon,
        figures,
        jobs_cut_short=len(unfinished),
        seconds_from_one_to_eight=up[-1]["at"] - up[0]["at"],
        seconds_from_eight_to_one=down[-1]["at"] - down[0]["at"],
    )
    assert not unfinished
    assert not rows.run("SELECT * FROM attempts")
    assert "killing" not in daemon.log()
    assert [(one["before"], one["after"]) for one in up] == [(1, 2), (2, 4), (4, 8)]
    assert (down[0]["before"], down[-1]["after"]) == (8, 1)
    assert all(one["before"] > one["after"] for one in down)
    rests = [later["at"] - earlier["at"] for earlier, later in pairwise([up[-1], *down])]
    assert min(rests) >= COOL_DOWN
    assert all(one["queue"] == "default" for one in told)
    assert {run.pid for run in daemon.runs(held)} == {holder.pid}
    first, *lines = explained.stdout.splitlines()
    assert first == ("default: 1 worker, 1 to 8 as the backlog needs; nothing waits, wanted is 1s")
    assert lines[0] == "mail: 1 worker, as configured"
    assert any("default 1 -> 2: the oldest of " in line for line in lines)
    assert any("default 2 -> 1: nothing to do for " in line for line in lines)
    assert "autoscale: default 4 -> 8: the oldest of " in daemon.log()


def test_what_is_asked_by_hand_holds_until_auto_and_new_bounds_hold_at_once(
    daemon: Daemon, rows: Rows
) -> None:
    load = Load(rows)
    configure(daemon)
    daemon.start()
    assert daemon.cli("scale", "default=3").stdout == "default: 3 workers, mail: 1 worker\n"
    have(daemon, 3)
    burst(load, rows)
    daemon.wait_until(lambda: oldest(daemon) > 3.0, "jobs wait for far too long")
    assert len(daemon.workers("default")) == 3
    shown = json.loads(daemon.cli("scale", "--explain", "--json").stdout)
    assert shown["queues"][0]["asked"] == shown["queues"][0]["workers"] == 3
    assert shown["queues"][0]["autoscale"]["max"] == 8
    assert shown["decisions"][-1]["why"] == (
        "somebody asked for 3, until `qsuper scale QUEUE=auto`"
    )
    daemon.cli("scale", "default=auto")
    have(daemon, 8)
    configure(daemon, most=4, least=2)
    daemon.signal(signal.SIGHUP)
    have(daemon, 4)
    load.wait_until_done(daemon)
    have(daemon, 2)
    assert daemon.stop() == 0
    assert not load.unfinished(daemon)
    assert [one["after"] for one in shown["decisions"]] == [3]


def oldest(daemon: Daemon) -> float:
    """Seconds for which the oldest ready job of the queue waits."""
    board = daemon.board()
    counted = board.bulletin("keeper").read() if board else None
    queues = counted["queues"] if counted else []
    return next((one["oldest_ready"] or 0.0 for one in queues if one["queue"] == "default"), 0.0)
