"""At most so many jobs at once, on one node and on two, while workers are killed."""

import random

from tests.acceptance import journal
from tests.acceptance.crowd import longest_below, most_at_once
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.journal import Death, runs_of
from tests.acceptance.limits_app import MOST
from tests.acceptance.nodes import second_node
from tests.acceptance.rows import Rows
from tests.acceptance.test_kills import BACKOFF, kill_a_worker, wait_for_lines

JOBS = 2000
KILLS = 50
APP = "tests.acceptance.limits_app:queue"


def test_no_more_than_the_limit_run_at_once_while_workers_are_killed(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    rng = random.Random(20261121)
    daemon.write_config(
        app=APP,
        queues={"default": {"workers": 8}},
        job={"backoff": BACKOFF},
        log={"level": "warning"},
    )
    numbers = range(1, JOBS + 1)
    rows.add(
        (n, "three_at_once", {"n": n, "seconds": round(rng.uniform(0.01, 0.03), 4)})
        for n in numbers
    )
    daemon.start()
    deaths: list[Death] = []
    for kill in range(KILLS):
        wait_for_lines(daemon, int(2 * JOBS * 0.95 * (kill + rng.random()) / KILLS))
        deaths.append(kill_a_worker(daemon, rng, in_a_job=kill % 3 != 0))
    daemon.wait_until(lambda: rows.count(1) == JOBS, "every job is done", timeout=300)
    assert daemon.stop() == 0

    events = daemon.events()
    runs = runs_of(events)
    below = longest_below(MOST, JOBS, events, deaths)
    figures(
        jobs=JOBS,
        kills=KILLS,
        in_flight=journal.cut_short(deaths, runs),
        most_at_once=most_at_once(events, deaths),
        longest_below_the_limit_s=below,
        moves_per_job=len(rows.moves()) / JOBS,
        seconds=(max(event.at for event in events) - min(event.at for event in events)) / 1e9,
    )
    assert most_at_once(events, deaths) == MOST
    assert not journal.lost(numbers, runs)
    assert not journal.overlapping(events, deaths)
    assert rows.run("SELECT COUNT(*) FROM queue WHERE held_by IS NOT NULL") == [(0,)]


def test_without_the_guard_of_the_slots_the_checker_finds_it(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon.write_config(
        app="tests.acceptance.unguarded_limits_app:queue", queues={"default": {"workers": 8}}
    )
    rows.add((n, "three_at_once", {"n": n, "seconds": 0.05}) for n in range(1, 301))
    daemon.start()
    daemon.wait_until(lambda: rows.count(1) == 300, "every job is done")
    daemon.stop()
    most = most_at_once(daemon.events())
    figures(most_at_once=most)
    assert most > MOST


def test_two_nodes_share_one_limit(daemon: Daemon, rows: Rows, figures: Figures) -> None:
    """Each works on a queue of its own, so that neither can do all."""
    with second_node(daemon) as second:
        for each, queue in ((daemon, "one"), (second, "two")):
            each.write_config(app=APP, queues={queue: {"workers": 4}}, log={"level": "warning"})
            each.start()
        for queue, first in (("one", 1), ("two", 2)):
            numbers = range(first, 401, 2)
            jobs = ((n, "three_at_once", {"n": n, "seconds": 0.02}) for n in numbers)
            rows.add(jobs, queue=queue)
        daemon.wait_until(lambda: rows.count(1) == 400, "every job is done")
        assert daemon.stop() == second.stop() == 0
    events = daemon.events()
    most = most_at_once(events)
    figures(most_at_once=most, longest_below_s=longest_below(MOST, 400, events))
    assert most == MOST
    assert not journal.lost(range(1, 401), runs_of(events))


def test_each_value_of_an_argument_has_a_limit_of_its_own(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon.write_config(app=APP, queues={"default": {"workers": 8}})
    uids = {n: n % 5 for n in range(1, 301)}
    rows.add((n, "one_for_each", {"n": n, "uid": uids[n], "seconds": 0.01}) for n in uids)
    daemon.start()
    daemon.wait_until(lambda: rows.count(1) == 300, "every job is done")
    daemon.stop()
    events = daemon.events()
    by_uid = [
        most_at_once(event for event in events if uids[event.number] == uid) for uid in range(5)
    ]
    figures(most_at_once=most_at_once(events), most_at_once_of_one_uid=max(by_uid))
    assert by_uid == [1] * 5
    assert rows.run("SELECT COUNT(*) FROM limits WHERE job_id IS NOT NULL") == [(0,)]


def test_a_pass_of_crontab_keeps_the_limit_and_frees_what_a_killed_one_has_left(
    daemon: Daemon, rows: Rows
) -> None:
    daemon.write_config(app=APP)
    rows.add((n, "three_at_once", {"n": n}) for n in range(1, 51))
    rows.add([(51, "three_at_once", {"n": 51})], status=6, held_by="three_at_once")
    for slot in range(MOST):
        rows.run(f"INSERT INTO limits VALUES ('three_at_once', {slot}, {slot + 1}, 1)")
    done = daemon.cli("work", "--slice", "0/1")
    assert done.returncode == 0, done.stderr
    assert rows.count(1) == 51
