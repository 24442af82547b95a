import functools
from collections import Counter
from typing import Any

import pytest

from qsuper.job import NewJob
from qsuper.slices import WINDOW_LEAST, Slice
from qsuper.states import State
from qsuper.store import claiming, enqueueing, releasing
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from tests.store.table import WORKER, Table

AHEAD = "2037-01-01 00:00:00.000"


def test_a_claimed_job_carries_what_its_row_says(table: Table) -> None:
    (job_id,) = table.add(param='{"uid": 4}', max_attempts=5, timeout=2.5)
    (job,) = table.claim()
    assert (job.id, job.task, job.param) == (job_id, "send_msg", '{"uid": 4}')
    assert (job.attempt, job.max_attempts, job.timeout, job.claims) == (1, 5, 2.5, 1)
    assert [type(value) for value in (job.id, job.attempt, job.timeout, job.claims)] == [
        int,
        int,
        float,
        int,
    ]
    columns = ("status", "worker", "claims", "attempt", "solo")
    assert table.row(job_id, *columns) == (State.RUNNING, WORKER, 1, 1, 1)
    assert -30 < table.seconds_until(job_id, "started_at") <= 0.1


def test_an_empty_queue_gives_nothing(table: Table) -> None:
    table.add(queue="mail")
    assert table.claim() == []
    assert table.claim(mine=Slice(2, 4)) == []


def test_the_smallest_priority_goes_first_and_then_the_lowest_id(table: Table) -> None:
    late = table.add(2)
    urgent = table.add(2, priority=-10)
    lazy = table.add(priority=10)
    assert [job.id for job in table.claim(most=10)] == urgent + late + lazy


def test_a_batch_is_not_solo_and_one_row_is(table: Table) -> None:
    first, second, third = table.add(3)
    table.claim(most=2)
    table.claim(most=2)
    assert [table.row(id, "solo") for id in (first, second, third)] == [0, 0, 1]


def test_a_worker_takes_the_rows_of_its_slice_only(table: Table) -> None:
    ids = table.add(30)
    got = table.claim(mine=Slice(1, 3), most=50)
    assert [job.id for job in got] == [id for id in ids if id % 3 == 1]


def test_a_worker_whose_slice_is_empty_helps_with_the_most_urgent_rows(table: Table) -> None:
    table.add(20, priority=5)
    urgent = [id for id in table.add(12) if id % 2]
    table.write("DELETE FROM queue WHERE id % 2 = 0")
    claim = claiming.claim(
        table.connection, queue="default", worker=WORKER, mine=Slice(0, 2), most=4
    )
    assert claim.helped
    assert len(claim.jobs) == 4
    assert {job.id for job in claim.jobs} <= set(urgent)


def test_a_woken_worker_takes_rows_of_its_slice_and_else_those_of_others_in_one_look(
    table: Table,
) -> None:
    ids = table.add(2)
    mine = Slice(ids[1] % 2, 2)
    looks: list[str] = []
    connection = table.connection
    claim = functools.partial(
        claiming.claim, connection, queue="default", worker=WORKER, mine=mine, woken=True
    )
    with pytest.MonkeyPatch.context() as patch:
        rows = Connection.rows

        def noted(self: Connection, statement: Statement, **params: Any) -> list[Any]:
            looks.append(statement.text)
            return rows(self, statement, **params)

        patch.setattr(Connection, "rows", noted)
        own, other, none = claim(), claim(), claim()
    assert [job.id for job in own.jobs] == ids[1:]
    assert not own.helped
    assert [job.id for job in other.jobs] == ids[:1]
    assert other.helped
    assert not none.jobs
    assert len(looks) == 3


def test_of_workers_woken_for_as_many_rows_none_takes_anothers(table: Table) -> None:
    table.add(4)
    for index in range(4):
        (job,) = table.claim(f"boot-{index}", mine=Slice(index, 4), woken=True)
        assert job.id % 4 == index


def test_a_strict_worker_does_not_help(table: Table) -> None:
    table.add(10)
    table.write("DELETE FROM queue WHERE id % 2 = 0")
    assert table.claim(mine=Slice(0, 2), helps=False) == []


def test_a_far_look_finds_rows_of_the_slice_behind_many_of_others(table: Table) -> None:
    table.add(300)
    table.write("DELETE FROM queue WHERE id % 10 = 3")
    table.add(10)
    mine = Slice(3, 10)
    assert table.claim(mine=mine, helps=False) == []
    (job,) = table.claim(mine=mine, helps=False, far=True)
    assert job.id % 10 == 3


def test_a_claim_for_everyone_takes_the_head_whoever_s_it_is(table: Table) -> None:
    ids = table.add(4)
    index = (ids[0] + 1) % 2
    assert [job.id for job in table.claim(mine=Slice(index, 2), everyone=True)] == ids[:1]


@pytest.mark.parametrize(("workers", "batch"), [(3, 1), (6, 1), (9, 1), (4, 10)])
def test_helpers_get_a_fair_share_where_ids_go_by_three(
    table: Table, workers: int, batch: int
) -> None:
    """Galera steps ids by the number of its nodes: most slices are empty for ever."""
    rows = 40 * workers * batch
    with table.connection.transaction():
        table.connection.many(
            Statement("INSERT INTO queue (id, task) VALUES (:id, 'x')"),
            [{"id": 3 * number + 1} for number in range(rows)],
        )
    shares = Counter[int]()
    while sum(shares.values()) < rows:
        for index in range(workers):
            got = table.claim(f"boot-{index}", mine=Slice(index, workers), most=batch)
            shares[index] += len(got)
    assert min(shares[index] for index in range(workers)) >= 0.5 * rows / workers


def rows_read(table: Table, **options: Any) -> int:
    """How many rows the MySQL server reads for one claim that finds nothing."""
    counters = Statement("SHOW SESSION STATUS LIKE 'Handler_read%'")

    def total() -> int:
        return sum(int(count) for _, count in table.connection.rows(counters))

    total()
    before = total()
    empty = total() - before
    before = total()
    assert table.claim(helps=False, **options) == []
    return total() - before - empty


def test_an_empty_slice_of_many_rows_costs_mysql_a_bounded_look(mysql_table: Table) -> None:
    mysql_table.add(3000)
    mysql_table.write("DELETE FROM queue WHERE id % 2 = 1")
    cost = rows_read(mysql_table, mine=Slice(1, 2))
    assert 0 < cost <= 4 * WINDOW_LEAST
    assert rows_read(mysql_table, mine=Slice(1, 64), most=1) <= 4 * 4 * 64


def test_the_measure_of_rows_read_sees_an_unbounded_look(
    mysql_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    mysql_table.add(3000)
    mysql_table.write("DELETE FROM queue WHERE id % 2 = 1")
    monkeypatch.setattr(claiming, "window_size", lambda slices, batch: 1_000_000)
    assert rows_read(mysql_table, mine=Slice(1, 2)) > 1400


def test_an_empty_slice_of_many_rows_costs_sqlite_a_bounded_look(
    sqlite_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_table.add(20_000)
    sqlite_table.write("DELETE FROM queue WHERE id % 2 = 1")
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    def cost() -> int:
        steps[0] = 0
        assert sqlite_table.claim(mine=Slice(1, 2), helps=False) == []
        return steps[0]

    sqlite_table.connection.raw.set_progress_handler(count, 100)
    bounded = cost()
    monkeypatch.setattr(claiming, "window_size", lambda slices, batch: 1_000_000)
    assert bounded * 20 < cost(), "and the measure sees an unbounded look"


def test_sqlite_claims_by_row_id_whatever_the_planner_knows(sqlite_table: Table) -> None:
    sqlite_table.add(100)
    sqlite_table.write("ANALYZE")
    sql = claiming._CLAIM.for_backend(sqlite_table.database.backend)
    bound = {"worker": "w", "solo": 0, "ids": "[1,2]", "fewest": 0, "most": 0}
    raw = sqlite_table.connection.raw
    plan = " ".join(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", bound))
    assert "USING INTEGER PRIMARY KEY" in plan


def test_a_ready_row_that_lies_ahead_is_parked_and_not_run(table: Table) -> None:
    early = table.add(3, run_at=AHEAD)
    now = table.add(2)
    assert [job.id for job in table.claim(most=5)] == now
    assert [table.state(id) for id in early] == [State.SCHEDULED] * 3
    assert table.row(early[0], "attempt", "claims", "worker") == (0, 0, None)


def test_rows_ahead_are_parked_wherever_in_the_window_they_lie(table: Table) -> None:
    """Behind 1,000 rows of other slices, beyond the head that is parked in one go."""
    ids = table.add(1400)
    early = [id for id in ids[1100:] if id % 100 == 7]
    table.write("DELETE FROM queue WHERE id % 100 = 7 AND id < :first", first=early[0])
    for id in early:
        table.write("UPDATE queue SET run_at = :ahead WHERE id = :id", ahead=AHEAD, id=id)
    assert table.claim(mine=Slice(7, 100), most=4, helps=False) == []
    assert {table.state(id) for id in early} == {State.SCHEDULED}


def test_a_row_moved_ahead_between_look_and_claim_is_not_run(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job_id,) = table.add()
    other = table.connect()
    ahead = Statement("UPDATE queue SET run_at = :ahead WHERE id = :id")
    at_the_point(monkeypatch, "candidates-read", lambda: other.run(ahead, ahead=AHEAD, id=job_id))
    assert table.claim() == []
    assert table.state(job_id) == State.READY


def test_a_row_set_anew_between_look_and_claim_is_never_run_with_its_old_param(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = enqueueing.move(table.connection, NewJob("t", "old", name="cart:4"))
    other = table.connect()
    at_the_point(
        monkeypatch,
        "candidates-read",
        lambda: enqueueing.move(other, NewJob("t", "new", name="cart:4")),
    )
    assert table.claim() == []
    (job,) = table.claim()
    assert (job.id, job.param) == (job_id, "new")


@pytest.mark.parametrize("together", [False, True])
def test_a_row_that_was_taken_and_given_back_since_the_look_keeps_its_fence_right(
    table: Table, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    beside = table.add(2)[1]
    if together:
        table.write("UPDATE queue SET claims = 7 WHERE id = :id", id=beside)
    other = table.connect()

    def take_and_give_back() -> None:
        (taken,) = claiming.claim(other, queue="default", worker="boot-2").jobs
        releasing.release(other, "boot-2", [taken])

    at_the_point(monkeypatch, "candidates-read", take_and_give_back)
    for job in [*table.claim(most=2), *table.claim(most=2)]:
        assert (job.attempt, job.claims) == table.row(job.id, "attempt", "claims")
        assert releasing.release(table.connection, WORKER, [job]) == 1


def test_a_claim_that_loses_some_rows_keeps_the_others(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = table.add(5)
    other = table.connect()
    at_the_point(
        monkeypatch,
        "candidates-read",
        lambda: claiming.claim(other, queue="default", worker="boot-2", most=2),
    )
    claim = claiming.claim(table.connection, queue="default", worker=WORKER, most=4)
    assert [job.id for job in claim.jobs] == ids[2:4]
    assert claim.conflicts == 2
    assert [table.row(id, "worker") for id in ids] == ["boot-2", "boot-2", WORKER, WORKER, None]


def test_a_row_suspected_of_killing_its_batch_is_claimed_alone(table: Table) -> None:
    table.add(2)
    guilty = table.add(2, priority=-1, solo=2)
    assert [job.id for job in table.claim(most=10)] == guilty[:1]
    assert [job.id for job in table.claim(most=10)] == guilty[1:]
    assert len(table.claim(most=10)) == 2


def test_a_suspect_behind_others_does_not_join_their_batch(table: Table) -> None:
    first = table.add(2)
    table.add(solo=2)
    assert [job.id for job in table.claim(most=10)] == first


def test_given_back_rows_are_ready_again_and_their_attempt_does_not_count(table: Table) -> None:
    ids = table.add(3)
    jobs = table.claim(most=3)
    assert releasing.release(table.connection, WORKER, jobs[1:]) == 2
    columns = ("status", "attempt", "claims", "worker")
    assert table.row(ids[0], *columns) == (State.RUNNING, 1, 1, WORKER)
    assert [table.row(id, *columns) for id in ids[1:]] == [(State.READY, 0, 1, None)] * 2
    assert releasing.release(table.connection, WORKER, jobs[1:]) == 0, "once is enough"


def test_a_late_give_back_does_not_free_a_later_claim_of_the_same_worker(table: Table) -> None:
    table.add()
    first = table.claim()
    assert releasing.release(table.connection, WORKER, first) == 1
    (again,) = table.claim()
    assert releasing.release(table.connection, WORKER, first) == 0
    assert table.row(again.id, "status", "claims") == (State.RUNNING, 2)


def test_a_row_to_be_cancelled_is_cancelled_when_it_is_given_back(table: Table) -> None:
    (job_id,) = table.add()
    jobs = table.claim()
    table.write("UPDATE queue SET cancel = 1 WHERE id = :id", id=job_id)
    releasing.release(table.connection, WORKER, jobs)
    assert table.state(job_id) == State.CANCELLED


def test_strays_of_a_lost_claim_go_back_and_what_is_known_stays(table: Table) -> None:
    known, lost = table.add(2)
    table.claim(most=2)
    assert releasing.release_strays(table.connection, "default", WORKER, frozenset({known})) == 1
    assert table.state(known) == State.RUNNING
    assert table.row(lost, "status", "attempt", "worker") == (State.READY, 0, None)
    assert releasing.release_strays(table.connection, "default", "boot-9") == 0


def at_the_point(monkeypatch: pytest.MonkeyPatch, point: str, action: Any) -> None:
    """Let `action` happen once, when the claim comes by `point`."""
    waiting = [action]

    def reached(name: str) -> None:
        if name == point and waiting:
            waiting.pop()()

    monkeypatch.setattr(claiming, "failpoint", reached)
