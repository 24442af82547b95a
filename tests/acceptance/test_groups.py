"""When all of these are done, add that: once, and not before, whoever is killed."""

import random

from qsuper import Queue
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.acceptance.test_kills import kill_a_worker

GROUPS = 10
MEMBERS = 60
KILLS = 30
LAST = 100_000
"""The number of the first group's last job."""


def test_each_group_ends_once_and_after_all_of_its_jobs(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon.write_config(job={"backoff": {"base": 0.1, "cap": 0.5}, "max_attempts": 1000})
    queue = Queue(rows.url)
    for number in range(GROUPS):
        with queue.group("urgent", {"n": LAST + number}) as group:
            for member in range(MEMBERS):
                group.add("work", {"n": number * MEMBERS + member, "seconds": 0.005})
    rng = random.Random(20261121)
    daemon.start()
    for kill in range(KILLS):
        due = int(2 * GROUPS * MEMBERS * 0.9 * kill / KILLS)
        daemon.wait_until(lambda due=due: daemon.written() >= due, f"{due} lines")  # type: ignore[misc]
        kill_a_worker(daemon, rng, in_a_job=True)
    daemon.wait_until(lambda: rows.count(1) == GROUPS * (MEMBERS + 1), "all is done")
    daemon.stop()
    early = 0
    for number in range(GROUPS):
        # Only the last run of a job can have been acknowledged.
        ends = {run.number: run.ended for run in daemon.runs() if run.number // MEMBERS == number}
        (last,) = daemon.runs(LAST + number)
        early += any(end is None or end > last.began for end in ends.values())
        assert len(ends) == MEMBERS
    figures(groups=GROUPS, jobs=GROUPS * MEMBERS, kills=KILLS, ended_too_early=early)
    assert early == 0
    assert rows.run("SELECT COUNT(*) FROM job_groups") == [(0,)]
