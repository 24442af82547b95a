"""Slots: taken, freed, handed on; held rows: who is next, and who is left alone."""

import threading
from typing import Any

import pytest

from qsuper.job import Job
from qsuper.slices import Slice
from qsuper.states import State
from qsuper.store import cancelling, limiting, pausing
from qsuper.store.backend import Statement
from tests.store.table import WORKER, Table

NAME = "send_msg"


def fences(table: Table, name: str = NAME) -> list[tuple[int | None, int | None]]:
    """What is in the slots, in their order."""
    return [(slot.job_id, slot.claims) for slot in limiting.slots(table.connection, name)]


def hold(table: Table, count: int = 1, name: str = NAME, **columns: Any) -> list[int]:
    """Rows that `name` holds back."""
    return table.add(count, status=int(State.HELD), held_by=name, **columns)


def test_slots_are_made_on_demand_and_taken_until_none_is_left(table: Table) -> None:
    table.add(4)
    jobs = table.claim(most=4)
    assert [limiting.take(table.connection, NAME, 3, job) for job in jobs] == [2, 1, 0, None]
    assert sorted(fences(table)) == [(job.id, 1) for job in jobs[:3]]
    assert all(slot.taken for slot in limiting.slots(table.connection, NAME))


def test_limits_do_not_touch_each_other(table: Table) -> None:
    table.add(2)
    one, two = table.claim(most=2)
    assert limiting.take(table.connection, "send:uid=4", 1, one) == 0
    assert limiting.take(table.connection, "send:uid=5", 1, two) == 0
    assert limiting.free(table.connection, "send:uid=5", one.id, one.claims) == 0
    assert limiting.free(table.connection, "send:uid=4", one.id, one.claims) == 1
    assert fences(table, "send:uid=5") == [(two.id, 1)]


def test_a_slot_is_freed_by_its_fence_only_and_once(table: Table) -> None:
    table.add(1)
    (job,) = table.claim()
    limiting.take(table.connection, NAME, 1, job)
    assert limiting.free(table.connection, NAME, job.id, job.claims + 1) == 0
    assert limiting.free(table.connection, NAME, job.id, job.claims) == 1
    assert limiting.free(table.connection, NAME, job.id, job.claims) == 0


@pytest.mark.parametrize(
    "change",
    ["status = 1", "status = 4, worker = NULL", "claims = claims + 1", "id = 1000"],
)
def test_a_slot_whose_job_runs_no_more_may_be_taken_over(table: Table, change: str) -> None:
    table.add(2)
    lost, job = table.claim(most=2)
    limiting.take(table.connection, NAME, 1, lost)
    assert limiting.take(table.connection, NAME, 1, job) is None
    table.write(f"UPDATE queue SET {change} WHERE id = :id", id=lost.id)
    assert limiting.take(table.connection, NAME, 1, job) == 0
    assert fences(table) == [(job.id, job.claims)]
    assert limiting.free(table.connection, NAME, lost.id, lost.claims) == 0, "it is another's now"


def test_a_limit_that_is_raised_or_lowered_counts_from_the_next_job_on(table: Table) -> None:
    table.add(5)
    jobs = table.claim(most=5)
    for job in jobs[:2]:
        limiting.take(table.connection, NAME, 2, job)
    assert limiting.take(table.connection, NAME, 3, jobs[2]) == 0
    assert limiting.room(table.connection, NAME, 1) < 0
    for job in jobs[:3]:
        limiting.free(table.connection, NAME, job.id, job.claims)
    assert limiting.take(table.connection, NAME, 1, jobs[3]) == 0
    assert limiting.take(table.connection, NAME, 1, jobs[4]) is None
    assert fences(table) == [(jobs[3].id, 1)], "what is too much is gone"


def test_of_many_that_want_the_last_slots_just_so_many_get_one(table: Table) -> None:
    table.add(12)
    jobs = table.claim(most=12)
    got: list[int | None] = []

    def want(job: Job) -> None:
        got.append(limiting.take(table.connect(), NAME, 3, job))

    threads = [threading.Thread(target=want, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(left is not None for left in got) == 3
    assert len({job_id for job_id, _ in fences(table)}) == 3


def test_held_jobs_are_out_of_the_way_uncounted_and_their_claim_is_void(table: Table) -> None:
    ids = table.add(3)
    jobs = table.claim(most=3)
    assert limiting.hold(table.connection, "boot-2", jobs, NAME) == 0, "another worker's"
    assert limiting.hold(table.connection, WORKER, jobs[:2], NAME) == 2
    assert limiting.hold(table.connection, WORKER, jobs[:2], NAME) == 0
    columns = ("status", "held_by", "attempt", "worker", "claims")
    assert [table.row(id, *columns) for id in ids[:2]] == [(State.HELD, NAME, 0, None, 1)] * 2
    assert table.claim(most=3, everyone=True) == []


def test_a_job_that_is_to_be_cancelled_is_not_held(table: Table) -> None:
    (job_id,) = table.add(1)
    jobs = table.claim()
    assert cancelling.cancel(table.connection, job_id, running=True) is State.RUNNING
    limiting.hold(table.connection, WORKER, jobs, NAME)
    assert table.row(job_id, "status", "held_by") == (State.CANCELLED, None)


def test_held_jobs_go_on_by_priority_and_age_and_no_more_than_asked(table: Table) -> None:
    late = hold(table, 3, priority=5)
    early = hold(table, 2, priority=-5)
    other = hold(table, 1, name="resize")
    assert limiting.unhold(table.connection, NAME, 3) == [*early, late[0]]
    assert [table.row(id, "status", "held_by") for id in early] == [(State.READY, None)] * 2
    assert limiting.unhold(table.connection, NAME, 0) == []
    assert limiting.unhold(table.connection, NAME, -1) == []
    limiting.unhold_all(table.connection, NAME)
    assert table.states() == {State.READY: 5, State.HELD: 1}
    assert limiting.holders(table.connection) == ["resize"]
    assert limiting.unhold_one(table.connection, "resize", other[0])
    assert not limiting.unhold_one(table.connection, "resize", other[0])


def test_those_who_do_it_at_once_make_as_many_ready_as_all_of_them_were_to(table: Table) -> None:
    hold(table, 40)

    def unhold() -> None:
        connection = table.connect()
        for _ in range(5):
            limiting.unhold(connection, NAME, 1)

    threads = [threading.Thread(target=unhold) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert table.states() == {State.READY: 30, State.HELD: 10}


def test_what_has_been_cancelled_or_finished_is_not_brought_back(table: Table) -> None:
    gone, left = hold(table, 2)
    table.write("UPDATE queue SET status = 5 WHERE id = :id", id=gone)
    assert limiting.unhold(table.connection, NAME, 1) == [left]
    assert table.state(gone) is State.CANCELLED


def test_a_held_row_that_somebody_changes_holds_up_no_other(mysql_table: Table) -> None:
    first, second = hold(mysql_table, 2)
    with mysql_table.held(first):
        limiting.unhold(mysql_table.connection, NAME, 2)
        assert mysql_table.state(second) is State.READY
    assert mysql_table.state(first) is State.HELD


def test_holders_are_told_page_by_page_and_between_names(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting, "HOLDERS_MOST", 2)
    for name in ("rate:a", "send:uid=1", "a", "b", "rate:b"):
        hold(table, 2, name)
    assert limiting.holders(table.connection) == ["a", "b"]
    limiting.make(table.connection, "b", range(3))
    everyone = [("a", 0), ("b", 3), ("rate:a", 0), ("rate:b", 0), ("send:uid=1", 0)]
    assert list(limiting.every_holder(table.connection)) == everyone
    assert limiting.holders(table.connection, "rate:", "rate;") == ["rate:a", "rate:b"]


def test_slots_are_told_limit_by_limit(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "SLOTS_MOST", 4)
    for name, count in (("a", 1), ("b", 2), ("c", 6), ("d", 2)):
        limiting.make(table.connection, name, range(count))
    pages, after = [], ""
    while after != limiting.LAST:
        slots, after = limiting.slots_between(table.connection, after)
        pages.append("".join(slot.name for slot in slots))
    assert pages == ["abb", "cccccc", "dd"]
    assert limiting.slots_between(table.connection, "a", "b")[1] == "b"


def test_held_jobs_of_a_paused_queue_stand_in_nobodys_way(table: Table) -> None:
    paused = hold(table, 3, queue="mail")
    other = hold(table, 2)
    pausing.set_paused(table.connection, "mail", paused=True)
    assert limiting.unhold(table.connection, NAME, 1) == [other[0]]
    assert limiting.unhold(table.connection, NAME, 9) == [other[1]]
    assert limiting.unhold(table.connection, NAME, 9) == []
    pausing.set_paused(table.connection, "mail", paused=False)
    assert limiting.unhold(table.connection, NAME, 1) == [paused[0]]
    assert limiting.still_ready(table.connection, [*paused, *other]) == {
        paused[0]: "mail",
        other[0]: "default",
        other[1]: "default",
    }
    pausing.set_paused(table.connection, "mail", paused=True)
    assert set(limiting.still_ready(table.connection, [*paused, *other])) == set(other)
    limiting.unhold_all(table.connection, NAME)
    assert table.states() == {State.READY: 5}, "what held them is no more, paused or not"


def test_a_queue_whose_ready_job_nobody_claims_is_passed_over(table: Table) -> None:
    (waiting,) = table.add(1, queue="mail")
    hold(table, 3, queue="mail")
    other = hold(table, 2)
    assert limiting.unhold(table.connection, NAME, 9, [waiting]) == other
    assert limiting.unhold(table.connection, NAME, 9, [waiting]) == []
    table.claim(queue="mail")
    assert len(limiting.unhold(table.connection, NAME, 9, [waiting])) == 3


def test_the_first_held_jobs_are_found_by_their_index(mysql_table: Table) -> None:
    hold(mysql_table, 200)
    mysql_table.add(2000)
    mysql_table.write("ANALYZE TABLE queue")
    for statement in (limiting._FIRST_HELD, limiting._FREE_HELD):
        explain = Statement(f"EXPLAIN {statement.text}")
        plan = mysql_table.connection.rows(explain, name=NAME, most=1, ids=[1])
        assert plan[0][5] == "held", plan
        assert "filesort" not in str(plan)


def test_the_first_held_job_of_a_slice(table: Table) -> None:
    ids = hold(table, 4)
    mine = Slice(ids[2] % 4, 4)
    assert limiting.first_of_slice(table.connection, "default", mine) == (ids[2], NAME)
    assert limiting.first_of_slice(table.connection, "mail", mine) is None


def test_a_slot_counts_as_free_once_its_job_is_gone(table: Table) -> None:
    table.add(1)
    (job,) = table.claim()
    limiting.take(table.connection, NAME, 2, job)
    taken = [slot for slot in limiting.slots_between(table.connection)[0] if slot.taken]
    assert [slot.job_id for slot in taken] == [job.id]
    table.write("DELETE FROM queue")
    assert not any(slot.taken for slot in limiting.slots_between(table.connection)[0])
    assert limiting.remove(table.connection, NAME) == 1, "only what is free by its own word"
