"""Rounds over the schedules: what is due becomes a job once."""

import dataclasses
import json
import logging
import time
from random import Random
from typing import Any

import msgspec
import pytest

from qsuper.config import ScheduleConfig
from qsuper.errors import OutcomeUnknown
from qsuper.job import NewJob
from qsuper.roles import scheduling
from qsuper.roles.keeper import Keeper
from qsuper.roles.scheduling import JOBS, Scheduling
from qsuper.states import State
from qsuper.store import schedules
from qsuper.store.database import Connection
from qsuper.store.enqueueing import insert
from qsuper.tasks.registry import Task
from qsuper.tasks.schedule import Schedule
from tests.roles.bench import Bench

MINUTE, HOUR, DAY = 60, 3600, 86_400


def sweep(n: int = 0) -> None:
    """Nothing is run here."""


def planned(bench: Bench, cron: str = "* * * * *", **options: Any) -> Scheduling:
    """One schedule that has been seen before, unless the bench has it already."""
    bench.registry.replace(Task("sweep", sweep))
    bench.registry.schedules[:] = [Schedule(cron, "sweep", **options)]
    made = Scheduling(bench.config, bench.registry)
    made.round(bench.table.connection)
    return made


def set_back(bench: Bench, seconds: float) -> None:
    bench.table.write("UPDATE schedules SET since = {ago:seconds}", seconds=seconds)


def notes(bench: Bench) -> list[str | None]:
    """What became of the due times, in order: None for a job."""
    found = bench.table.read("SELECT job_id, note FROM schedule_runs ORDER BY due_at")
    assert all((job is None) == (note is not None) for job, note in found)
    return [note for _, note in found]


def jobs(bench: Bench) -> int:
    return sum(bench.table.states().values())


def test_a_new_schedule_does_not_fire_its_past(bench: Bench) -> None:
    planned(bench, "0 0 1 1 *")
    assert jobs(bench) == 0
    entry = schedules.read(bench.table.connection)["sweep"]
    assert entry.since is not None
    assert entry.now - entry.since < 60


def test_a_due_time_becomes_one_job_that_knows_it(bench: Bench) -> None:
    made = planned(bench, misfire="all", param={"n": 4})
    set_back(bench, 2 * MINUTE)
    done = made.round(bench.table.connection)
    assert done.counts == {JOBS: 2}
    assert not made.round(bench.table.connection).counts
    found = bench.table.read("SELECT task, param, status, headers FROM queue ORDER BY id")
    due = [json.loads(headers)["schedule"]["due"] for *_, headers in found]
    assert due[1] - due[0] == MINUTE
    assert [one % MINUTE for one in due] == [0, 0]
    task, param, status, headers = found[0]
    assert (task, param, status) == ("sweep", '{"n":4}', State.READY)
    assert json.loads(headers) == {"schedule": {"name": "sweep", "due": due[0]}}


@pytest.mark.parametrize(
    ("misfire", "expected"), [("once", 1), ("skip", 0), ("all", 100)], ids=["once", "skip", "all"]
)
def test_missed_due_times_are_made_up_for_as_the_schedule_says(
    bench: Bench, misfire: Any, expected: int
) -> None:
    # Half an hour from now, so that none of them is on time.
    minute = int(time.time() // MINUTE + 30) % 60
    made = planned(bench, f"{minute} * * * *", misfire=misfire)
    set_back(bench, 100 * HOUR)
    done = made.round(bench.table.connection)
    assert done.counts[JOBS] == expected == jobs(bench)
    assert done.counts["missed"] == 100 - expected
    assert notes(bench) == ["missed"] * (100 - expected) + [None] * expected


def test_a_long_time_of_missed_due_times_is_decided_in_spans_and_made_up_for_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "SPAN", 10)
    made = planned(bench, "0 0 * * *")
    # Exact multiples of a span, and one more and less.
    for days in (19, 20, 21):
        bench.table.write("DELETE FROM queue")
        bench.table.write("DELETE FROM schedule_runs")
        set_back(bench, days * DAY)
        done = made.round(bench.table.connection)
        assert done.counts == {JOBS: 1, "missed": days - 1}
        assert not done.unfinished
        assert notes(bench) == ["missed"] * (days - 1) + [None]


def test_more_than_a_round_may_make_is_left_to_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "SPAN", 20)
    monkeypatch.setattr(scheduling, "JOBS_MOST", 50)
    made = planned(bench, "0 0 * * *", misfire="all")
    set_back(bench, 130 * DAY)
    rounds = [made.round(bench.table.connection) for _ in range(4)]
    assert [done.counts[JOBS] for done in rounds] == [60, 60, 10, 0]
    assert [done.unfinished for done in rounds] == [["sweep"], ["sweep"], [], []]
    assert jobs(bench) == 130


def test_a_mark_that_somebody_sets_back_makes_no_second_job(bench: Bench) -> None:
    made = planned(bench, "0 0 * * *", misfire="all")
    for days in (5, 5, 7):
        set_back(bench, days * DAY)
        made.round(bench.table.connection)
        assert jobs(bench) == days


def test_a_due_time_is_skipped_while_the_last_job_lives(bench: Bench) -> None:
    made = planned(bench, "0 0 * * *", misfire="all", overlap="skip")
    set_back(bench, 3 * DAY)
    assert made.round(bench.table.connection).counts == {JOBS: 1, "overlap": 2}
    for state in (State.RUNNING, State.SCHEDULED, State.HELD, State.READY):
        bench.table.write("UPDATE queue SET status = :status", status=int(state))
        bench.table.write("DELETE FROM schedule_runs WHERE note IS NOT NULL")
        set_back(bench, 3 * DAY)
        assert made.round(bench.table.connection).counts == {"overlap": 2}
    bench.table.write("UPDATE queue SET status = 3")
    bench.table.write("DELETE FROM schedule_runs WHERE note IS NOT NULL")
    set_back(bench, 3 * DAY)
    assert made.round(bench.table.connection).counts == {JOBS: 1, "overlap": 1}


def test_what_falls_due_while_paused_is_noted_and_not_made_up_for(bench: Bench) -> None:
    made = planned(bench, "0 0 * * *", misfire="all")
    made.set_paused(bench.table.connection, "sweep", True)
    set_back(bench, 3 * DAY)
    assert made.round(bench.table.connection).counts == {"paused": 3}
    set_back(bench, 5 * DAY)
    made.set_paused(bench.table.connection, "sweep", False)
    assert notes(bench) == ["paused"] * 5
    assert not made.round(bench.table.connection).counts
    assert jobs(bench) == 0


def test_a_changed_definition_begins_anew_and_what_was_due_before_is_made(bench: Bench) -> None:
    planned(bench, "0 0 * * *", misfire="all")
    set_back(bench, 3 * DAY)
    # Half an hour from now, so that it is not due in the last minute.
    hourly = f"{int(time.time() // MINUTE + 30) % 60} * * * *"
    changed = planned(bench, hourly, misfire="all")
    assert jobs(bench) == 3, "of the days, not of the hours"
    assert not changed.round(bench.table.connection).counts
    entry = schedules.read(bench.table.connection)["sweep"]
    assert f'"{hourly}"' in entry.definition
    assert entry.since is not None
    assert entry.now - entry.since < 60


def test_two_definitions_that_take_turns_during_a_deploy_lose_nothing(bench: Bench) -> None:
    """Each round of either begins the schedule anew; what both are due at becomes a job."""
    planned(bench, "0 0 * * *", misfire="all")
    for days in range(6, 0, -1):
        set_back(bench, days * DAY)
        planned(bench, "0 0 * * *" if days % 2 else "0 0 * * 0-6", misfire="all")
    assert jobs(bench) == 6
    assert len(notes(bench)) == 6


class RoundClock:
    """Has the rounds see a clock of the test's own instead of the database's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, now: float) -> None:
        self.now = now
        self._read = schedules.read
        monkeypatch.setattr(schedules, "read", self)

    def __call__(self, connection: Connection) -> dict[str, schedules.Entry]:
        found = self._read(connection)
        return {name: dataclasses.replace(one, now=self.now) for name, one in found.items()}


@pytest.mark.parametrize("misfire", ["once", "all"])
def test_two_versions_with_other_lines_side_by_side_make_the_due_times_of_both(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, misfire: Any
) -> None:
    """Host A has the even minutes, host B the odd ones; both look every few seconds."""
    begin = (int(time.time()) // HOUR + 1) * HOUR
    hosts = []
    for cron in ("*/2 * * * *", "1-59/2 * * * *"):
        bench.registry.replace(Task("sweep", sweep))
        bench.registry.schedules[:] = [Schedule(cron, "sweep", misfire=misfire)]
        hosts.append(Scheduling(bench.config, bench.registry))
    hosts[0].round(bench.table.connection)
    clock = RoundClock(monkeypatch, begin - 1.0)
    random = Random(4)
    while clock.now < begin + HOUR:
        for host in random.sample(hosts, 2):
            host.round(bench.table.connection)
            clock.now += random.uniform(0.01, 19)
    for host in hosts:
        host.round(bench.table.connection)
    found = bench.table.read("SELECT headers FROM queue")
    due = sorted(json.loads(headers)["schedule"]["due"] for (headers,) in found)
    wanted = list(range(begin, begin + HOUR, MINUTE))
    assert [one for one in due if begin <= one < begin + HOUR] == wanted


def test_versions_that_take_turns_are_warned_of_once_an_hour(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "qsuper.schedules")
    one, other = "0 0 1 1 *", "0 0 2 1 *"
    made = planned(bench, one)
    clock = RoundClock(monkeypatch, time.time())

    def turns(count: int) -> list[str]:
        caplog.clear()
        for _ in range(count):
            planned(bench, other)
            made.round(bench.table.connection)
            clock.now += 1
        mine = [found for found in caplog.records if found.levelno == logging.WARNING]
        return [found.getMessage() for found in mine]

    assert turns(1) == [], "a change is none that takes turns"
    (said,) = turns(4)
    assert "schedule sweep has changed again" in said
    assert other in said
    clock.now += HOUR
    assert len(turns(4)) == 1


def test_a_job_too_large_for_the_server_does_not_hold_up_the_others(bench: Bench) -> None:
    """MariaDB refuses it and closes the connection; SQLite takes it."""
    bench.registry.replace(Task("sweep", sweep))
    bench.registry.schedules[:] = [
        Schedule("0 0 * * *", "elsewhere", name="large", param="x" * 3_000_000),
        Schedule("0 0 * * *", "sweep", name="good"),
    ]
    made = Scheduling(bench.config, bench.registry)
    made.round(bench.table.connection)
    set_back(bench, 2 * DAY)
    if bench.table.is_sqlite:
        assert made.round(bench.table.connection).counts[JOBS] == 2
        return
    ((most,),) = bench.table.read("SELECT @@GLOBAL.max_allowed_packet")
    bench.table.write("SET GLOBAL max_allowed_packet = 1048576")
    try:
        done = made.round(bench.table.database.connect())
    finally:
        bench.table.write(f"SET GLOBAL max_allowed_packet = {most}")
    assert list(done.failed) == ["large"]
    assert done.spent
    assert bench.table.read("SELECT task FROM queue") == [("sweep",)]


def test_a_job_that_costs_the_connection_does_not_hold_up_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one larger than MariaDB's max_allowed_packet does."""
    planned(bench)
    names = ["large", "good", "larger", "better"]
    bench.registry.schedules[:] = [Schedule("0 0 * * *", "sweep", name=one) for one in names]
    made = Scheduling(bench.config, bench.registry)
    made.round(bench.table.connection)
    set_back(bench, 2 * DAY)

    def lossy(connection: Connection, job: NewJob) -> int:
        if job.headers["schedule"]["name"].startswith("large"):
            connection.close()
            raise OutcomeUnknown("MySQL server has gone away (error 2006)")
        return insert(connection, job)

    monkeypatch.setattr(scheduling, "insert", lossy)
    done = made.round(bench.table.database.connect())
    assert list(done.failed) == ["large", "larger"]
    assert "(error 2006)" in done.failed["large"]
    assert done.lost == jobs(bench) == 2
    assert done.spent
    monkeypatch.setattr(scheduling, "LOST_MOST", 1)
    with pytest.raises(OutcomeUnknown, match="schedule larger: MySQL server has gone away"):
        made.round(bench.table.database.connect())


def test_a_definition_that_cannot_be_read_begins_anew(bench: Bench) -> None:
    planned(bench, misfire="all")
    bench.table.write("UPDATE schedules SET definition = 'null'")
    set_back(bench, 3 * DAY)
    planned(bench, misfire="all")
    assert jobs(bench) == 1, "of the last minute"
    assert '"* * * * *"' in schedules.read(bench.table.connection)["sweep"].definition


def test_a_clock_that_jumps_an_hour_back_makes_no_job_twice(bench: Bench) -> None:
    made = planned(bench, misfire="all")
    set_back(bench, 10 * MINUTE)
    made.round(bench.table.connection)
    before = jobs(bench)
    # The mark and what is decided are an hour ahead of the clock that was set back.
    set_back(bench, -HOUR)
    assert not made.round(bench.table.connection).counts
    assert jobs(bench) == before


def test_a_clock_that_jumps_an_hour_ahead_makes_no_storm(bench: Bench) -> None:
    made = planned(bench)
    set_back(bench, HOUR + 1)
    counts = made.round(bench.table.connection).counts
    assert counts[JOBS] <= 2, "one for all that was missed, one more that is within the grace"
    assert counts[JOBS] + counts["missed"] == 60


def test_a_mark_days_ahead_of_the_clock_does_not_silence_a_schedule(bench: Bench) -> None:
    made = planned(bench, misfire="all")
    set_back(bench, -400 * DAY)
    ahead = int(schedules.read(bench.table.connection)["sweep"].now) + MINUTE
    schedules.record(bench.table.connection, "sweep", [schedules.Run(ahead, None, "missed")])
    made.round(bench.table.connection)
    entry = schedules.read(bench.table.connection)["sweep"]
    assert entry.since is not None
    assert abs(entry.since - entry.now) < 60
    assert notes(bench) == []


def test_the_mark_of_a_schedule_that_is_seldom_due_is_moved_once_a_day(bench: Bench) -> None:
    made = planned(bench, "0 0 29 2 *")
    set_back(bench, 20 * HOUR)
    before = schedules.read(bench.table.connection)["sweep"].mark
    made.round(bench.table.connection)
    assert schedules.read(bench.table.connection)["sweep"].mark == before
    set_back(bench, 25 * HOUR)
    made.round(bench.table.connection)
    entry = schedules.read(bench.table.connection)["sweep"]
    assert entry.since is not None
    assert entry.now - entry.since < 60


def test_one_schedule_that_the_database_refuses_does_not_hold_up_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = planned(bench, "0 0 * * *", name="bad")
    bench.registry.schedules.append(Schedule("0 0 * * *", "sweep", name="good"))
    made = Scheduling(bench.config, bench.registry)
    made.round(bench.table.connection)
    set_back(bench, 2 * DAY)
    bench.table.write(REFUSAL["sqlite" if bench.table.is_sqlite else "mysql"])
    done = made.round(bench.table.connection)
    assert list(done.failed) == ["bad"]
    assert "never this one" in done.failed["bad"]
    assert jobs(bench) == 1
    bench.table.write("DROP TRIGGER refuse")
    made.round(bench.table.connection)
    assert jobs(bench) == 2, "it is made as soon as it can be"


REFUSAL = {
    "sqlite": """
        CREATE TRIGGER refuse BEFORE INSERT ON schedule_runs WHEN NEW.name = 'bad'
        BEGIN SELECT RAISE(ABORT, 'never this one'); END
    """,
    "mysql": """
        CREATE TRIGGER refuse BEFORE INSERT ON schedule_runs FOR EACH ROW
        IF NEW.name = 'bad' THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'never this one'; END IF
    """,
}


def test_a_schedule_that_somebody_else_is_at_is_left_to_him(bench: Bench) -> None:
    made = planned(bench, "0 0 * * *")
    set_back(bench, 2 * DAY)
    caller = bench.table.bare(autocommit=False)
    caller.cursor().execute("UPDATE schedules SET paused = 0")
    done = made.round(bench.table.connection)
    assert done.elsewhere == ["sweep"]
    caller.rollback()
    assert made.round(bench.table.connection).counts[JOBS] == 1


def keeper_of(bench: Bench, module: str, text: str) -> Keeper:
    """A keeper whose application is a file of this text."""
    (bench.folder / f"{module}.py").write_text(text)
    config = msgspec.structs.replace(bench.config, app=f"{module}:queue", folder=str(bench.folder))
    return Keeper(dataclasses.replace(bench.place(), config=config))


APP = """
from qsuper import Queue

queue = Queue()

@queue.schedule("0 0 * * *")
def nightly(): ...
"""


def test_the_keeper_makes_jobs_of_what_is_due(bench: Bench) -> None:
    keeper = keeper_of(bench, "app_with_a_schedule", APP)
    keeper.tick(1000.0)
    set_back(bench, 2 * DAY)
    keeper.tick(1002.0)
    assert bench.table.read("SELECT task FROM queue") == [("nightly",)]
    assert keeper.complaint == ""


def test_a_schedule_that_cannot_be_costs_itself_and_the_keeper_says_so(bench: Bench) -> None:
    keeper = keeper_of(bench, "app_beside_a_bad_one", APP)
    bad = ScheduleConfig(cron="* * * * *", task="nightly", name="bad", param={"n": 1})
    config = msgspec.structs.replace(keeper.config, schedule=(bad,))
    keeper = Keeper(dataclasses.replace(keeper.place, config=config))
    keeper.tick(1000.0)
    set_back(bench, 2 * DAY)
    keeper.tick(1002.0)
    assert bench.table.read("SELECT task FROM queue") == [("nightly",)]
    assert keeper.complaint == (
        "schedule bad: nightly() cannot take this param: got an unexpected keyword argument 'n'"
    )


def test_an_application_that_cannot_be_imported_costs_its_schedules_not_the_keeper(
    bench: Bench,
) -> None:
    keeper = keeper_of(bench, "broken_app", "1 / 0")
    for now in (1000.0, 1002.0, 1004.0):
        assert keeper.tick(now) is not None
    assert "no schedules: app = 'broken_app:queue'" in keeper.complaint
    assert "ZeroDivisionError" in keeper.complaint
