"""Which claimed jobs a worker runs, which it sets aside, and when it frees what they have taken."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from qsuper import Discard, Retry, Snooze
from qsuper.job import Job
from qsuper.roles.unholding import CLAIMED_WITHIN, NEXT_PAGE, SLOTS_EVERY, Unholder
from qsuper.roles.worker import Worker
from qsuper.scoreboard import clock
from qsuper.states import State
from qsuper.store import limiting, rating
from qsuper.store.database import Connection
from qsuper.tasks.limit import Limit
from tests.roles.bench import Bench

NAME = "send_msg"


def limited(bench: Bench, most: int, body: Callable[[], Any] = lambda: None, **more: Any) -> None:
    """A task of which so many may run."""

    def send_msg(uid: int = 0) -> Any:
        return body()

    bench.task(send_msg, limit=Limit(most), **more)


def worker_of(bench: Bench, size: int) -> Worker:
    """A worker that claims so many."""
    worker = bench.worker()
    worker.pace.size = size
    return worker


def taken(bench: Bench, name: str = NAME) -> int:
    return sum(slot.taken for slot in limiting.slots(bench.table.connection, name))


def occupy(bench: Bench, count: int) -> list[Job]:
    """Slots that somebody else's running jobs have."""
    bench.table.add(count)
    jobs = bench.table.claim("boot-9", most=count)
    for job in jobs:
        assert limiting.take(bench.table.connection, NAME, count, job) is not None
    return jobs


def test_a_task_without_limit_costs_no_statement(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(bench, 1)
    bench.task(count_up, rate=1.0)
    jobs = [Job(n, "another", None, 1, None, None, 1) for n in range(100)]
    admission = worker_of(bench, 1).admission
    assert admission.admit(bench.table.connection, jobs, 100) is jobs
    monkeypatch.setattr(type(bench.table.connection), "_execute", None)
    assert admission.admit(bench.table.connection, jobs, 100) is jobs
    assert admission.may_start(bench.table.connection, jobs[0])


def count_up() -> None:
    """A task."""


def test_what_finds_no_slot_is_held_and_the_next_ones_are_looked_at_at_once(bench: Bench) -> None:
    limited(bench, 2)
    occupy(bench, 2)
    bench.table.add(20)
    (other,) = bench.table.add(1, task="count_up")
    bench.task(count_up)
    worker = worker_of(bench, 1)
    rounds = 0
    while worker.tick(clock()) == 0.0:
        rounds += 1
    assert bench.table.state(other) is State.DONE
    assert bench.table.states() == {State.RUNNING: 2, State.HELD: 20, State.DONE: 1}
    assert rounds < 10, "more and more are claimed at once, only to be set aside"


def test_a_worker_that_claims_many_leaves_slots_to_others(bench: Bench) -> None:
    ran: list[int] = []
    limited(bench, 3, lambda: ran.append(taken(bench)))
    bench.table.add(10)
    worker_of(bench, 10).tick(clock())
    assert ran == [1], "the slots of jobs that wait for their turn are of no use"
    assert bench.table.states() == {State.DONE: 1, State.READY: 9}, "there is room for them"


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        (lambda: None, State.DONE),
        (lambda: 1 / 0, State.SCHEDULED),
        (Retry(in_=5), State.SCHEDULED),
        (Snooze(in_=5), State.SCHEDULED),
        (Discard("too late"), State.CANCELLED),
    ],
    ids=["done", "failed", "retry", "snooze", "discard"],
)
def test_however_a_job_ends_its_slot_goes_to_the_first_that_is_held(
    bench: Bench, ends: Any, state: State
) -> None:
    def body() -> None:
        if isinstance(ends, BaseException):
            raise ends
        ends()

    limited(bench, 1, body)
    (job_id,) = bench.table.add(1)
    held = bench.table.add(3, status=int(State.HELD), held_by=NAME)
    worker_of(bench, 1).tick(clock())
    assert bench.table.state(job_id) is state
    assert taken(bench) == 0
    assert [bench.table.state(id) for id in held] == [State.READY, State.HELD, State.HELD]


def test_a_transactional_job_frees_its_slot_after_its_commit(bench: Bench) -> None:
    def send_msg(connection: Any) -> None:
        """What it writes is not the point."""

    bench.task(send_msg, limit=Limit(1), transactional=True)
    (job_id,) = bench.table.add(1)
    (held,) = bench.table.add(1, status=int(State.HELD), held_by=NAME)
    worker_of(bench, 1).tick(clock())
    assert bench.table.state(job_id) is State.DONE
    assert (taken(bench), bench.table.state(held)) == (0, State.READY)


def test_what_is_given_back_before_it_began_frees_its_slot(bench: Bench) -> None:
    def body() -> None:
        bench.queue.paused = 1

    limited(bench, 20, body)
    bench.table.add(4)
    worker_of(bench, 4).tick(clock())
    assert bench.table.states() == {State.DONE: 1, State.READY: 3}
    assert taken(bench) == 0


def test_each_value_has_a_limit_of_its_own_that_leaves_nothing_behind(bench: Bench) -> None:
    ran: list[int] = []

    def send_msg(uid: int) -> None:
        ran.append(uid)
        assert taken(bench, f"send_msg:uid={uid}") == 1

    bench.task(send_msg, limit=Limit(1, by="uid"))
    bench.task(count_up)
    for uid in (4, 5, 6, 4, 4):
        bench.table.add(1, param=f'{{"uid": {uid}}}')
    worker = worker_of(bench, 5)
    worker.tick(clock())
    assert ran == [4, 5, 6]
    while worker.tick(clock()) == 0.0:
        pass
    assert bench.table.states() == {State.DONE: 5}
    assert limiting.slots_between(bench.table.connection)[0] == []


def test_values_that_differ_in_a_space_at_the_end_have_limits_of_their_own(bench: Bench) -> None:
    ran: list[str] = []

    def send_msg(uid: str) -> None:
        ran.append(uid)

    bench.task(send_msg, limit=Limit(1, by="uid"))
    for uid in ("x", "x ", "x  ", "x\t"):
        bench.table.add(1, param=json.dumps({"uid": uid}))
    worker_of(bench, 4).tick(clock())
    assert ran == ["x", "x ", "x  ", "x\t"]


@pytest.mark.parametrize("page", [1, 1000])
def test_slots_by_value_that_the_dead_have_left_do_not_stay(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(limiting, "SLOTS_MOST", page)
    bench.table.add(6)
    jobs = bench.table.claim("boot-9", most=6)
    names = [*(f"send_msg:uid={number}" for number in range(5)), NAME]
    for name, job in zip(names, jobs, strict=True):
        assert limiting.take(bench.table.connection, name, 3, job) is not None
    bench.table.add(1, status=int(State.HELD), held_by="send_msg:uid=1")
    bench.table.write("UPDATE queue SET status = 3 WHERE id > :id", id=jobs[0].id)
    unholder = Unholder()
    for turn in range(8):
        unholder.tick(bench.table.connection, 10.0 + 2 * turn * NEXT_PAGE)
    rows = bench.table.read("SELECT name, COUNT(*) FROM limits GROUP BY name ORDER BY name")
    assert rows == [(NAME, 3), ("send_msg:uid=0", 3), ("send_msg:uid=1", 3)], (
        "one stays as it is, one runs, one is wanted"
    )


def test_a_limit_that_was_raised_counts_while_the_jobs_under_the_old_one_run(
    bench: Bench,
) -> None:
    occupy(bench, 1)
    bench.table.add(19, status=int(State.HELD), held_by=NAME)
    limited(bench, 5)
    unholder = Unholder()
    unholder.tick(bench.table.connection, 10.0)
    assert bench.table.states() == {State.RUNNING: 1, State.HELD: 19}
    for _ in range(3):
        worker_of(bench, 1).admission.admit(bench.table.connection, [], 1)
    unholder.tick(bench.table.connection, 10.0 + SLOTS_EVERY)
    assert bench.table.states() == {State.RUNNING: 1, State.READY: 4, State.HELD: 15}


def test_a_queue_that_nobody_works_on_leaves_the_slots_to_others(bench: Bench) -> None:
    left = bench.table.add(5, status=int(State.HELD), held_by=NAME, queue="mail")
    bench.table.add(3, status=int(State.HELD), held_by=NAME)
    limited(bench, 1)
    limiting.make(bench.table.connection, NAME, [0])
    unholder, worker, now = Unholder(), worker_of(bench, 1), 10.0
    unholder.tick(bench.table.connection, now)
    assert bench.table.state(left[0]) is State.READY
    now += CLAIMED_WITHIN
    for done in range(1, 4):
        unholder.tick(bench.table.connection, now)
        while worker.tick(clock()) == 0.0:
            pass
        assert bench.table.states()[State.DONE] == done
        now += SLOTS_EVERY


def test_where_nothing_has_a_rate_nothing_asks_for_what_rates_hold(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    holders = limiting.holders

    def ask(connection: Connection, after: str, *before: str) -> list[str]:
        asked.append(after)
        return holders(connection, after, *before)

    monkeypatch.setattr(limiting, "holders", ask)
    unholder = Unholder()
    for turn in range(3):
        unholder.tick(bench.table.connection, 10.0 + turn * SLOTS_EVERY)
    assert asked == [""] * 3
    rating.reserve(bench.table.connection, "rate:send_msg", 1.0)
    unholder.tick(bench.table.connection, 20.0)
    unholder.tick(bench.table.connection, 20.1)
    assert asked[3:] == ["", "rate:", "rate:"]


def test_jobs_of_a_limit_that_is_no_more_go_on(bench: Bench) -> None:
    limited(bench, 1)
    for name in ("send_msg:uid=4", "rate:send_msg", "gone"):
        bench.table.add(1, status=int(State.HELD), held_by=name)
    mine = bench.table.add(1, status=int(State.HELD), held_by=NAME)
    worker_of(bench, 1).admission.admit(bench.table.connection, [], 1)
    assert bench.table.states() == {State.READY: 2, State.HELD: 2}
    assert bench.table.state(mine[0]) is State.HELD


def test_a_start_that_is_far_off_is_not_waited_for(bench: Bench) -> None:
    bench.task(count_up, rate=1 / 3600, limit=Limit(5))
    bench.table.add(3, task="count_up")
    worker = worker_of(bench, 3)
    while worker.tick(clock()) == 0.0:
        pass
    assert bench.table.states() == {State.DONE: 1, State.HELD: 2}
    assert taken(bench, "count_up") == 0
    assert limiting.holders(bench.table.connection) == ["rate:count_up"]


def test_a_start_that_somebody_else_took_meanwhile_sets_the_job_aside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.task(count_up, rate=1.0, limit=Limit(1))
    (job_id,) = bench.table.add(1, task="count_up")
    monkeypatch.setattr(rating, "reserve", lambda *_: None)
    worker_of(bench, 1).tick(clock())
    assert bench.table.row(job_id, "status", "attempt", "held_by") == (
        State.HELD,
        0,
        "rate:count_up",
    )
    assert taken(bench, "count_up") == 0


def test_slots_of_the_dead_are_freed_and_as_many_held_jobs_follow(bench: Bench) -> None:
    jobs = occupy(bench, 3)
    held = bench.table.add(5, status=int(State.HELD), held_by=NAME)
    unholder = Unholder()
    assert unholder.tick(bench.table.connection, 10.0)
    assert bench.table.states() == {State.RUNNING: 3, State.HELD: 5}
    bench.table.write("UPDATE queue SET status = 3 WHERE id < :id", id=jobs[2].id)
    unholder.hurry()
    unholder.tick(bench.table.connection, 10.1)
    assert taken(bench) == 1
    assert [bench.table.state(id) for id in held] == [State.READY] * 2 + [State.HELD] * 3


def test_held_jobs_are_not_made_ready_again_and_again_while_nobody_claims_them(
    bench: Bench,
) -> None:
    bench.table.add(10, status=int(State.HELD), held_by=NAME)
    bench.table.add(10, status=int(State.HELD), held_by="rate:send_msg")
    unholder, now = Unholder(), 10.0
    for _ in range(5):
        unholder.tick(bench.table.connection, now)
        now += SLOTS_EVERY
    assert bench.table.states()[State.READY] == 2, "one of each, for nothing is known of them"
    unholder.tick(bench.table.connection, now + CLAIMED_WITHIN)
    assert bench.table.states()[State.READY] == 4, "perhaps they are in a queue without workers"


def test_many_limits_are_looked_after_page_by_page(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting, "HOLDERS_MOST", 3)
    for number in range(7):
        bench.table.add(1, status=int(State.HELD), held_by=f"send_msg:uid={number}")
    unholder, ready = Unholder(), []
    for turn in range(4):
        unholder.tick(bench.table.connection, 10.0 + 2 * turn * NEXT_PAGE)
        ready.append(bench.table.states().get(State.READY, 0))
    assert ready == [3, 6, 7, 7]


def test_a_look_after_limits_that_takes_long_goes_on_where_it_stopped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qsuper.roles.unholding.GIVE_FOR", -1.0)
    for number in range(3):
        bench.table.add(1, status=int(State.HELD), held_by=f"send_msg:uid={number}")
    unholder = Unholder()
    for turn in range(3):
        unholder.tick(bench.table.connection, 10.0 + 2 * turn * NEXT_PAGE)
        assert bench.table.states()[State.READY] == turn + 1


def test_a_rate_lets_go_as_its_starts_come(bench: Bench) -> None:
    bench.table.add(3, status=int(State.HELD), held_by="rate:send_msg")
    unholder = Unholder()
    assert rating.reserve(bench.table.connection, "rate:send_msg", 3600.0) is not None
    unholder.tick(bench.table.connection, CLAIMED_WITHIN / 2)
    assert bench.table.states() == {State.READY: 1, State.HELD: 2}, "what is known may be wrong"
    bench.table.claim()
    unholder.tick(bench.table.connection, CLAIMED_WITHIN)
    assert bench.table.states() == {State.RUNNING: 1, State.HELD: 2}
    bench.table.write("UPDATE rates SET free_at = {unix_now}")
    unholder.tick(bench.table.connection, CLAIMED_WITHIN + 1.0)
    assert bench.table.states() == {State.RUNNING: 1, State.HELD: 1, State.READY: 1}
