"""A shop without the daemon: passes started by crontab run everything once and lose nothing."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance import journal
from tests.acceptance.cron import SLICES, Cron, lines
from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.journal import runs_of
from tests.acceptance.load import Load
from tests.acceptance.rows import Rows
from tests.servers import MariaDB
from tests.wait import wait_for

LIMIT = 200
LEASE = {"lease": "1s", "alone_grace": "1s"}


@pytest.fixture
def cron(daemon: Daemon) -> Iterator[Cron]:
    cron = Cron(daemon)
    yield cron
    cron.clean_up()


def test_the_example_has_ten_slices_and_the_tick_of_the_schedules() -> None:
    wanted = [
        f"cd /srv/shop && qsuper work --slice {index}/{SLICES} --limit {LIMIT} >/dev/null"
        for index in range(SLICES)
    ]
    assert lines() == [*wanted, "cd /srv/shop && qsuper cron tick >/dev/null"]


def test_ten_passes_at_once_make_the_tables_of_a_new_sqlite_file(folder: Path) -> None:
    daemon = Daemon(folder, f"sqlite:///{folder}/shop.db")
    cron = Cron(daemon)
    try:
        assert cron.minute() == [*[""] * SLICES, "0 schedules: 0 jobs made\n"]
        number = daemon.cli("add", "work", json.dumps({"n": 1})).stdout.strip()
        cron.minute()
        assert "done" in daemon.cli("show", number).stdout
    finally:
        cron.clean_up()


def test_a_pass_that_finds_no_tables_says_so_and_ends(folder: Path, mariadb: MariaDB) -> None:
    url = mariadb.create_database()
    cron = Cron(Daemon(folder, url))
    try:
        one = cron.start(lines()[0])
        said, errors = one.communicate(timeout=PATIENCE)
        assert (one.returncode, said) == (1, "")
        assert errors.count("\n") == 1
        assert errors.startswith("qsuper: ")
        assert "the database has no qsuper tables yet: run `qsuper db upgrade`" in errors
    finally:
        cron.clean_up()
        mariadb.drop(url)


REFUSALS = {
    "sqlite": "CREATE TRIGGER refusal BEFORE UPDATE ON queue WHEN {when}"
    " BEGIN SELECT RAISE(ABORT, 'denied'); END",
    "mysql": "CREATE TRIGGER refusal BEFORE UPDATE ON queue FOR EACH ROW"
    " IF {when} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'denied'; END IF",
}
"""As for an account that lacks a right: the tables are well, and a statement fails always."""


@pytest.mark.parametrize(("status", "runs"), [(2, 0), (1, 1)], ids=["claims", "acks"])
def test_a_pass_that_the_database_refuses_ends_at_once_and_says_so(
    cron: Cron, daemon: Daemon, rows: Rows, status: int, runs: int
) -> None:
    rows.add([(3, "work", {"n": 3})])
    rows.run(REFUSALS[rows.kind].format(when=f"NEW.status = {status}"))
    one = cron.start(lines()[3])
    said, errors = one.communicate(timeout=PATIENCE)
    assert (one.returncode, said) == (1, "")
    assert errors.startswith("qsuper: the pass over slice 3/10 has failed: the log in ")
    assert errors.count("\n") == 1
    (told,) = [line for line in daemon.log().splitlines() if "the database: " in line]
    assert told.split()[2] == "error"
    assert "denied" in told
    assert (rows.count(1), len(daemon.runs())) == (0, runs)
    rows.run("DROP TRIGGER refusal")
    cron.end_of(cron.start(lines()[3]))
    wait_for(lambda: cron.minute() and rows.count(1) == 1, 60, "it is done once the right is there")


def test_a_pass_that_goes_well_warns_of_nothing(cron: Cron, daemon: Daemon, rows: Rows) -> None:
    rows.add([(3, "work", {"n": 3})])
    for _ in range(3):
        cron.end_of(cron.start(lines()[3]))
    assert rows.count(1) == 1
    written = daemon.log().splitlines()
    assert "unsettled records" in daemon.log(), (
        "what the next pass is left with is told, but is no trouble"
    )
    assert {line.split()[2] for line in written} == {"info"}


def test_ten_slices_drain_everything_once(
    cron: Cron, daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    jobs = SLICES * LIMIT + 500
    rows.add((n, "work", {"n": n}) for n in range(1, jobs + 1))
    cron.minute()
    after_one = rows.count(1)
    cron.minute()
    runs = daemon.runs()
    workers = {run.pid for run in runs}
    figures(jobs=jobs, done_by_the_first_passes=after_one, done=rows.count(1), runs=len(runs))
    assert after_one == SLICES * LIMIT
    assert rows.count(1) == jobs
    assert len(runs) == jobs
    assert not journal.lost(range(1, jobs + 1), runs)
    assert not journal.overlapping(daemon.events())
    assert len(workers) == 2 * SLICES
    by_worker = {pid: {run.number % SLICES for run in runs if run.pid == pid} for pid in workers}
    assert all(len(slices) == 1 for slices in by_worker.values())
    assert not (daemon.state / "master.lock").exists(), "no daemon was there"


def test_a_pass_sees_past_the_backlog_of_other_slices(
    cron: Cron, daemon: Daemon, rows: Rows
) -> None:
    others = [n for n in range(1, 6000) if n % SLICES != 3]
    rows.add((n, "work", {"n": n}) for n in [*others, 6003, 6013])
    cron.end_of(cron.start(lines()[3]))
    assert {run.number for run in daemon.runs()} == {6003, 6013}
    assert rows.count(0) == len(others)


@pytest.mark.parametrize("with_worker", [False, True], ids=["master", "master-and-worker"])
def test_a_pass_that_is_killed_loses_nothing(
    cron: Cron, daemon: Daemon, rows: Rows, figures: Figures, with_worker: bool
) -> None:
    rows.add([(13, "hang_once", {"n": 13})], priority=-1)
    rows.add((n, "work", {"n": n}) for n in range(23, 1000, SLICES))
    numbers = [13, *range(23, 1000, SLICES)]
    killed = cron.start(lines()[3])
    wait_for(lambda: daemon.runs(13), 60, "the first job runs")
    cron.kill(3, with_worker=with_worker)
    killed.communicate()
    assert rows.job(13)["status"] == 2
    cron.end_of(cron.start(lines()[3]))
    events = daemon.events()
    runs = runs_of(events)
    figures(jobs=len(numbers), runs=len(runs), runs_of_the_killed_job=len(daemon.runs(13)))
    assert rows.count(1) == len(numbers)
    assert not journal.lost(numbers, runs)
    assert not journal.overlapping(events)
    assert not journal.again_after_ack(rows.moves(), runs)
    assert len(daemon.runs(13)) == 2
    assert len(runs) == len(numbers) + 1
    assert [(number, outcome) for number, outcome, _ in rows.attempts(13)] == [(1, "failed")]


def test_a_killed_worker_of_a_pass_is_replaced_and_the_pass_goes_on(
    cron: Cron, daemon: Daemon, rows: Rows
) -> None:
    rows.add([(13, "hang_once", {"n": 13})], priority=-1)
    rows.add((n, "work", {"n": n}) for n in range(23, 200, SLICES))
    one = cron.start(lines()[3])
    wait_for(lambda: daemon.runs(13), 60, "the first job runs")
    (worker,) = cron.workers(3)
    os.kill(worker.pid, signal.SIGKILL)
    cron.end_of(one)
    assert rows.count(1) == rows.count()
    ((attempt, outcome, error),) = rows.attempts(13)
    assert (attempt, outcome) == (1, "failed")
    assert "SIGKILL" in error


def test_an_overlapping_pass_of_the_same_slice_does_nothing(
    cron: Cron, daemon: Daemon, rows: Rows
) -> None:
    rows.add([(3, "hold_until_told", {"n": 3})], priority=-1)
    rows.add((n, "work", {"n": n}) for n in range(13, 500, SLICES))
    first = cron.start(lines()[3])
    wait_for(lambda: daemon.runs(3), 60, "the first job runs")
    said = [cron.end_of(one) for one in [cron.start(lines()[3]) for _ in range(3)]]
    assert all("nothing done, the last pass over slice 3/10 goes on" in words for words in said)
    daemon.tell(3)
    assert cron.end_of(first) == ""
    assert rows.count(1) == rows.count() == len(daemon.runs())


def test_delayed_and_failed_jobs_come_due_in_a_shop_without_the_daemon(
    cron: Cron, daemon: Daemon, rows: Rows
) -> None:
    daemon.write_config(job={"backoff": {"base": "1s", "cap": "1s"}})
    added = [
        daemon.cli("add", "work", json.dumps({"n": 1}), "--delay", "2s"),
        daemon.cli("add", "raise_an_error", "--max-attempts", "2"),
    ]
    delayed, failing = (int(one.stdout) for one in added)
    cron.minute()
    assert rows.job(failing)["attempt"] == 1
    # Waiting, or ready again: a slow pass of this minute may have promoted it.
    assert rows.job(failing)["status"] in (0, 4)

    def over() -> bool:
        cron.minute()
        return (rows.job(delayed)["status"], rows.job(failing)["status"]) == (1, 3)

    wait_for(over, 60, "both have come due and ended")
    assert len(daemon.runs()) == 1
    assert [attempt for attempt, _, _ in rows.attempts(failing)] == [1, 2]


def test_what_a_lost_node_held_is_rescued_in_a_shop_without_the_daemon(
    cron: Cron, daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    load = Load(rows)
    daemon.write_config(state_dir="lost", node=LEASE, queues={"default": {"workers": 2}})
    daemon.state = daemon.folder / "lost"
    jobs = [load.add_job("hang_once") for _ in range(2)]
    daemon.start()
    for job in jobs:
        daemon.running(job)
    load.add(100)
    workers = [record.pid for record in daemon.records()]
    daemon.kill_master()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 60)
    assert rows.count(2) == len(jobs), "still held by a node that is no more"
    daemon.write_config(node=LEASE)

    def over() -> bool:
        cron.minute()
        return rows.count(1) == load.last

    wait_for(over, 120, "the passes have rescued and run everything")
    load.judge(daemon, figures)
    for job in jobs:
        ((attempt, outcome, error),) = rows.attempts(job)
        assert (attempt, outcome) == (1, "failed")
        assert "was lost while the job ran" in error
