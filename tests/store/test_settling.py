from typing import Any

import pytest

from qsuper.states import State
from qsuper.store import settling
from tests.store.table import WORKER, Table


def death(**more: Any) -> settling.Death:
    known: dict[str, Any] = {
        "worker": WORKER,
        "queue": "default",
        "cause": "killed by SIGKILL",
        "in_flight": None,
        "begun": frozenset(),
        "limits": {},
    }
    return settling.Death(**(known | more))


def settle(table: Table, dead: settling.Death, max_attempts: int = 3) -> settling.Settlement:
    return settling.settle(table.connection, dead, node="a", max_attempts=max_attempts, wait=60)


def errors(table: Table) -> dict[int, str]:
    return dict(table.read("SELECT job_id, error FROM attempts"))


def test_the_job_in_flight_pays_for_the_death_and_the_unbegun_go_back(table: Table) -> None:
    finished, running, *unbegun = table.add(5)
    table.claim(most=5)
    done = settle(table, death(in_flight=running, begun=frozenset({finished, running})))
    assert done == settling.Settlement(released=3, failed=2, buried=0)
    columns = ("status", "attempt", "worker")
    assert table.row(finished, *columns) == (State.READY, 1, None)
    assert table.row(running, *columns) == (State.READY, 1, None), "the first retry is immediate"
    assert [table.row(id, *columns) for id in unbegun] == [(State.READY, 0, None)] * 3
    assert errors(table) == {
        finished: "finished, outcome not recorded: killed by SIGKILL before the ack was written",
        running: "killed by SIGKILL while this job ran",
    }


def test_the_second_death_of_a_job_waits(table: Table) -> None:
    (job_id,) = table.add(attempt=1)
    table.claim()
    settle(table, death(in_flight=job_id, begun=frozenset({job_id})))
    assert table.row(job_id, "status", "attempt") == (State.SCHEDULED, 2)
    assert 30 < table.seconds_until(job_id) <= 60.1


@pytest.mark.parametrize(
    ("own", "known", "default"), [(2, {}, 9), (None, {1: 2}, 9), (None, {}, 2)]
)
def test_a_job_whose_attempts_are_used_up_is_dead_with_the_cause(
    table: Table, own: int | None, known: dict[int, int], default: int
) -> None:
    (job_id,) = table.add(attempt=1, max_attempts=own)
    table.claim()
    begun = frozenset({job_id})
    done = settle(table, death(in_flight=job_id, begun=begun, limits=known), default)
    assert done.buried == 1
    assert table.row(job_id, "status", "attempt") == (State.DEAD, 2)
    assert "SIGKILL" in errors(table)[job_id]


def test_a_job_of_one_attempt_that_had_not_begun_is_not_dead(table: Table) -> None:
    (job_id,) = table.add(max_attempts=1)
    table.claim()
    settle(table, death())
    assert table.row(job_id, "status", "attempt") == (State.READY, 0)


def test_a_worker_that_was_told_to_stop_burns_no_attempt(table: Table) -> None:
    (job_id,) = table.add(max_attempts=1)
    table.claim()
    settle(table, death(in_flight=job_id, begun=frozenset({job_id}), innocent=True))
    assert table.row(job_id, "status", "attempt") == (State.READY, 0)


def test_settling_twice_changes_nothing_more(table: Table) -> None:
    first, second = table.add(2)
    table.claim(most=2)
    dead = death(in_flight=first, begun=frozenset({first}))
    settle(table, dead)
    (again,) = table.claim("boot-2")
    assert settle(table, dead) == settling.Settlement()
    assert table.row(again.id, "status", "worker") == (State.RUNNING, "boot-2")
    assert table.row(second, "attempt") == 0


def test_only_the_dead_worker_s_jobs_of_its_queue_are_touched(table: Table) -> None:
    table.add(2)
    table.claim("boot-1")
    table.claim("boot-10")
    settle(table, death(worker="boot-1"))
    assert table.states() == {State.READY: 1, State.RUNNING: 1}


def test_a_job_to_be_cancelled_is_cancelled_once_its_worker_is_gone(table: Table) -> None:
    first, second = table.add(2)
    table.claim(most=2)
    table.write("UPDATE queue SET cancel = 1")
    settle(table, death(in_flight=first, begun=frozenset({first})))
    assert table.state(first) == State.CANCELLED
    assert table.state(second) == State.CANCELLED


def test_a_claim_that_commits_after_its_worker_was_settled_is_swept(table: Table) -> None:
    table.add(4)
    for worker in ("boot-1", "boot-2", "boot-11", "boots-1"):
        table.claim(worker)
    living = frozenset({"boot-2"})
    assert settling.sweep(table.connection, "default", "boot", lambda: living) == 2
    held = table.read("SELECT worker, attempt FROM queue WHERE status = 2 ORDER BY worker")
    assert held == [("boot-2", 1), ("boots-1", 1)]
    assert table.read("SELECT DISTINCT attempt FROM queue WHERE status = 0") == [(0,)]


def rescue(table: Table, max_attempts: int = 3) -> settling.Settlement:
    why = "its node was lost"
    return settling.rescue(
        table.connection, "default", "boot", why=why, node="b", max_attempts=max_attempts
    )


def test_a_lost_node_s_row_claimed_alone_keeps_its_attempt(table: Table) -> None:
    (job_id,) = table.add()
    table.claim()
    assert rescue(table) == settling.Settlement(failed=1)
    assert table.row(job_id, "status", "attempt", "worker") == (State.READY, 1, None)
    assert errors(table) == {job_id: "its node was lost"}


def test_a_lost_node_s_batch_goes_back_uncounted_to_be_claimed_alone(table: Table) -> None:
    ids = table.add(3, max_attempts=1)
    table.claim(most=3)
    assert rescue(table) == settling.Settlement(released=3)
    assert [table.row(id, "status", "attempt", "solo") for id in ids] == [(0, 0, 2)] * 3
    (alone,) = table.claim("boot-2", most=3)
    assert table.row(alone.id, "solo") == 1
    assert rescue(table) == settling.Settlement(buried=1)
    assert table.state(alone.id) == State.DEAD


def test_a_rescue_leaves_other_nodes_alone(table: Table) -> None:
    table.add(2)
    table.claim("boot2-1")
    table.claim("other-1")
    assert rescue(table) == settling.Settlement()
    assert table.states() == {State.RUNNING: 2}
