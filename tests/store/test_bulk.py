"""Many jobs at once: what is chosen is moved, the rest is as it was."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from qsuper.client.bulk import Bulk
from qsuper.errors import ParamError
from qsuper.job import NewJob
from qsuper.states import FINISHED, State
from qsuper.store import acking, bulk, cancelling, claiming, enqueueing, walking
from qsuper.store.acking import Report
from qsuper.store.backend import Statement, StoreBusy
from qsuper.store.bulk import Round, Tally
from qsuper.store.kinds import Grouping
from qsuper.store.position import Position
from qsuper.store.selection import Selection
from qsuper.store.threads import Threads
from tests.store.table import WORKER, Table


@pytest.fixture
def jobs(table: Table) -> Bulk:
    return Bulk(Threads(table.database))


def dead(table: Table, error: str, **columns: Any) -> int:
    """A job that has died of `error`."""
    (job_id,) = table.add(**columns)
    (job,) = table.claim(queue=columns.get("queue", "default"))
    assert acking.bury(table.connection, WORKER, job, Report("a", error))
    return job_id


def run(table: Table, round: Round) -> Tally:
    while round.step(table.connection):
        pass
    return round.tally


def dump(table: Table) -> list[tuple[Any, ...]]:
    columns = "id, status, attempt, claims, cancel, name, worker, run_at, mtime, held_by"
    return table.read(f"SELECT {columns} FROM queue ORDER BY id")


def test_only_what_fits_every_condition_is_retried(table: Table, jobs: Bulk) -> None:
    wanted = dead(table, "SMTP: 451 try later", task="send", queue="mail")
    others = [
        dead(table, "SMTP: 451 try later", task="send"),
        dead(table, "SMTP: 451 try later", task="resize", queue="mail"),
        dead(table, "ValueError: no", task="send", queue="mail"),
        *table.add(status=5, task="send", queue="mail"),
    ]
    tally = jobs.retry(task="send", queue="mail", error="451 try")
    assert (tally.found, tally.moved, tally.first) == (1, 1, [wanted])
    assert table.state(wanted) is State.READY
    assert [table.state(job_id) for job_id in others] == [State.DEAD] * 3 + [State.CANCELLED]


@pytest.mark.parametrize("error", ["100%", "it's", "a_b", "é 🐘", "back\\slash", "%s :name {now}"])
def test_the_text_of_an_error_is_taken_letter_by_letter(
    table: Table, jobs: Bulk, error: str
) -> None:
    dead(table, f"before {error} after")
    dead(table, "100 axb s it")
    assert jobs.count(State.DEAD, error=error) == 1
    assert jobs.count(State.DEAD, error=error.upper() + "!") == 0


def test_only_the_last_error_counts(table: Table, jobs: Bulk) -> None:
    (job_id,) = table.add()
    (job,) = table.claim()
    acking.retry(table.connection, WORKER, job, Report("a", "first"), wait=0)
    (job,) = table.claim()
    acking.bury(table.connection, WORKER, job, Report("a", "second"))
    assert jobs.count(State.DEAD, error="first") == 0
    assert jobs.retry(error="second").moved == 1
    assert table.state(job_id) is State.READY


def test_since_and_until_are_when_it_finished_or_else_was_enqueued(
    table: Table, jobs: Bulk
) -> None:
    old, new = dead(table, "x"), dead(table, "x")
    table.write("UPDATE queue SET mtime = {ago:age} WHERE id = :id", id=old, age=7200.0)
    early, late = table.add(2)
    table.write("UPDATE queue SET ctime = {ago:age} WHERE id = :id", id=early, age=7200.0)
    hour = timedelta(hours=1)
    assert jobs.count(State.DEAD, since=hour) == 1
    assert jobs.count(State.DEAD, until=time.time() - 3600) == 1
    assert jobs.count(State.DEAD, since=datetime.now(UTC) - 3 * hour, until=hour) == 1
    assert jobs.retry(until=hour).first == [old]
    assert table.state(new) is State.DEAD
    table.write("UPDATE queue SET status = 3 WHERE id = :id", id=old)
    assert jobs.cancel(since=hour).first == [late]
    assert table.state(early) is State.READY


def test_the_bulk_goes_through_every_page_priority_and_queue(
    table: Table, jobs: Bulk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 3)
    for queue in ("default", "mail"):
        for priority in (-32768, -1, 0, 32767):
            table.add(7, status=3, queue=queue, priority=priority)
    untouched = table.add(5, status=1)
    tally = jobs.retry(everything=True)
    assert (tally.found, tally.moved, len(tally.first)) == (56, 56, bulk.TOLD_MOST)
    assert table.states() == {State.READY: 56, State.DONE: len(untouched)}


def test_a_job_that_dies_again_meanwhile_is_not_retried_for_ever(table: Table) -> None:
    table.add(10, status=3)
    round = Round(Selection(), (State.DEAD,), bulk.retry)
    while round.step(table.connection):
        table.write("UPDATE queue SET status = 3 WHERE status = 0")
        assert round.tally.found <= 10, "round and round"
    assert round.tally.moved == 10


@pytest.mark.parametrize("dry", [True, False])
def test_a_live_twin_is_named_and_counted_and_the_others_move(
    table: Table, jobs: Bulk, dry: bool
) -> None:
    orphans = table.add(3, status=3)
    old = enqueueing.move(table.connection, NewJob("t", name="é SN1"))
    table.write("UPDATE queue SET status = 3 WHERE id = :id", id=old)
    twin = enqueueing.move(table.connection, NewJob("t", name="é SN1"))
    first, second = table.add(2, status=3, name=b"SN2" if not table.is_sqlite else "SN2")
    round = Round(Selection(), (State.DEAD,), None if dry else bulk.retry)
    tally = run(table, round)
    assert tally.first_twins == [(old, twin), (second, first)]
    assert (tally.found, tally.twins, tally.moved) == (6, 2, 0 if dry else 4)
    moved = [*orphans, first]
    assert {table.state(job_id) for job_id in moved} == {State.DEAD if dry else State.READY}
    assert table.state(old) is table.state(second) is State.DEAD


def test_a_name_that_is_taken_in_the_very_moment_undoes_no_page(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphans = table.add(3, status=3)
    old = enqueueing.move(table.connection, NewJob("t", name="SN1"))
    table.write("UPDATE queue SET status = 3 WHERE id = :id", id=old)
    twin = enqueueing.move(table.connection, NewJob("t", name="SN1"))
    monkeypatch.setattr(Round, "_twins", lambda *_: {})
    tally = run(table, Round(Selection(), (State.DEAD,), bulk.retry))
    assert (tally.moved, tally.first_twins) == (3, [(old, twin)])
    assert {table.state(job_id) for job_id in orphans} == {State.READY}


def test_a_dry_run_changes_nothing(table: Table, jobs: Bulk) -> None:
    for state in State:
        table.add(2, status=int(state))
    dead(table, "boom", queue="other")
    before = dump(table)
    assert jobs.count(*State, everything=True) == 2 * len(State) + 1
    assert run(table, Round(Selection(), (State.DEAD,), None)).moved == 0
    assert dump(table) == before
    assert jobs.retry(everything=True).moved == 3
    assert dump(table) != before, "the dump sees what a retry does"


def test_cancelling_takes_what_waits_and_leaves_the_rest(table: Table, jobs: Bulk) -> None:
    ids = {state: table.add(2, status=int(state), held_by="x") for state in State}
    assert jobs.cancel(everything=True).moved == 6
    for state in bulk.WAITING:
        for job_id in ids[state]:
            assert table.row(job_id, "status", "held_by") == (State.CANCELLED, None)
    for state in (State.RUNNING, *FINISHED):
        for job_id in ids[state]:
            assert table.row(job_id, "status", "cancel") == (state, 0)


def test_running_jobs_are_marked_when_asked_for_and_told(table: Table, jobs: Bulk) -> None:
    (waiting,) = table.add(task="a")
    ids = table.add(3, task="a", status=2)
    table.add(task="b", status=2)
    table.write("UPDATE queue SET cancel = 1 WHERE id = :id", id=ids[0])
    tally = jobs.cancel(task="a", running=True)
    assert (tally.moved, tally.marked) == (1, ids)
    assert table.state(waiting) is State.CANCELLED
    assert table.read("SELECT task, cancel FROM queue WHERE status = 2 ORDER BY id") == [
        ("a", 1),
        ("a", 1),
        ("a", 1),
        ("b", 0),
    ]


def test_a_row_that_somebody_holds_is_passed_over(mysql_table: Table) -> None:
    ids = mysql_table.add(5, status=3)
    with mysql_table.held(ids[2]):
        tally = run(mysql_table, Round(Selection(), (State.DEAD,), bulk.retry))
    assert (tally.found, tally.moved) == (5, 4)
    assert mysql_table.state(ids[2]) is State.DEAD


def test_a_round_goes_on_where_a_locked_file_stopped_it(sqlite_table: Table) -> None:
    sqlite_table.add(5, status=3)
    sqlite_table.connection.run(Statement("PRAGMA busy_timeout = 1"))
    round = Round(Selection(), (State.DEAD,), bulk.retry)
    other = sqlite_table.bare()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        round.step(sqlite_table.connection)
    other.execute("ROLLBACK")
    assert run(sqlite_table, round).moved == 5


def test_nothing_chosen_and_what_cannot_be_are_refused(jobs: Bulk) -> None:
    with pytest.raises(ParamError, match="nothing is chosen"):
        jobs.retry()
    with pytest.raises(ParamError, match="running is not finished"):
        jobs.retry(state=State.RUNNING, everything=True)
    with pytest.raises(ParamError, match="without a time zone"):
        jobs.cancel(since=datetime(2026, 11, 20))  # noqa: DTZ001 - that is refused


def test_a_job_that_was_retried_is_claimed_afresh(table: Table, jobs: Bulk) -> None:
    job_id = dead(table, "boom", max_attempts=1)
    before = table.row(job_id, "claims")
    jobs.retry(everything=True)
    (job,) = claiming.claim(table.connection, queue="default", worker=WORKER).jobs
    assert (job.id, job.attempt) == (job_id, 1)
    assert job.claims > before + 1


def test_the_dead_are_counted_by_task_and_error(table: Table) -> None:
    for _ in range(3):
        dead(table, "SMTP: 451\nand more", task="send")
    latest = dead(table, "SMTP: 451", task="send")
    other = dead(table, "SMTP: 451", task="remind", queue="mail")
    (bare,) = table.add(status=3, task="send")
    table.add(status=1, task="send")
    grouping = Grouping(Selection(state=State.DEAD))
    while grouping.step(table.connection):
        pass
    found = [(kind.count, kind.task, kind.error, kind.job_id) for kind in grouping.kinds]
    assert found[0] == (4, "send", "SMTP: 451", latest)
    assert set(found[1:]) == {(1, "remind", "SMTP: 451", other), (1, "send", None, bare)}


def test_what_one_revive_does_a_bulk_does(table: Table) -> None:
    """One text for both: no column that the one clears may be left by the other."""
    columns = {
        "status": 1,
        "attempt": 3,
        "cancel": 1,
        "worker": "w",
        "held_by": "x",
        "took_ms": 4,
        "progress": "p",
        "result": "r",
        "state": "s",
        "group_id": 5,
    }
    one, many = table.add(2, **columns)
    cancelling.revive(table.connection, one)
    run(table, Round(Selection(), (State.DONE,), bulk.retry))
    names = (*columns, "claims")
    assert table.row(one, *names) == table.row(many, *names)
    assert table.row(one, *names) == (0, 0, 0, None, None, None, None, None, None, None, 1)


def test_a_round_goes_on_from_the_position_of_another(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 3)
    for queue in ("default", "mail", "Über.all"):
        for priority in (-32768, 0, 32767):
            for state in bulk.WAITING:
                table.add(4, status=int(state), queue=queue, priority=priority)
    selection = Selection(since=time.time() - 3600)
    whole = run(table, Round(selection, bulk.WAITING, None)).found
    found, steps, position = 0, 0, None
    while True:
        round = Round(selection, bulk.WAITING, None, position)
        if not round.step(table.connection):
            break
        found, steps = found + round.tally.found, steps + 1
        assert round.position is not None
        position = Position.read(str(round.position))
        assert position == round.position
    assert (found, steps) == (whole, 54) == (108, 54)
    assert round.position is None


def test_those_enqueued_since_come_first_and_older_ones_that_finished_since_follow(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 10)
    old = table.add(100, status=3)
    table.write("UPDATE queue SET ctime = {ago:s}, mtime = {ago:s}", s=7200.0)
    table.write("UPDATE queue SET mtime = {now} WHERE id = :id", id=old[50])
    young = table.add(2, status=3)
    round = Round(Selection(since=time.time() - 3600), (State.DEAD,), bulk.retry)
    round.step(table.connection)
    assert round.tally.first == young
    assert run(table, round).first == [*young, old[50]]
    assert round.tally.moved == 3


@pytest.mark.parametrize(
    "text",
    ["", "1", "0.0.0.0.", "-1.0.0.0.q", "0.0.0.9999999999999999999.q", "0.0.0.0.a\0b", "٣.0.0.0.q"],
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no position|is beyond every job"):
        Position.read(text)
