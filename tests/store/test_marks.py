"""Marked jobs are found while they run, and cancelled if their worker or node dies."""

from qsuper.states import State
from qsuper.store import settling
from qsuper.store.marks import Mark, marked
from tests.store.table import WORKER, Table

BOOT = WORKER.partition("-")[0]


def mark(table: Table, *ids: int) -> None:
    table.write("UPDATE queue SET cancel = 1 WHERE id IN {ids}", ids=list(ids))


def outcomes(table: Table) -> list[tuple[int, str, str]]:
    return [
        (row[0], row[1], row[2])
        for row in table.read("SELECT job_id, outcome, error FROM attempts ORDER BY job_id")
    ]


def test_only_marked_jobs_that_run_on_this_node_are_found(table: Table) -> None:
    first, second, third, waiting = table.add(4)
    table.claim(most=1)
    table.claim("elsewhere-1", most=1)
    table.claim(f"{BOOT}-2", most=1)
    mark(table, first, second, waiting)
    assert marked(table.connection, "default", BOOT) == [Mark(first, 1, WORKER)]
    mark(table, third)
    assert {mark.job_id for mark in marked(table.connection, "default", BOOT)} == {first, third}
    assert marked(table.connection, "mail", BOOT) == []
    table.write("UPDATE queue SET status = 1")
    assert marked(table.connection, "default", BOOT) == []


def test_a_marked_job_whose_worker_dies_is_cancelled_and_says_how(table: Table) -> None:
    running, unbegun, unmarked = table.add(3, max_attempts=1)
    table.claim(most=3)
    mark(table, running, unbegun)
    death = settling.Death(
        worker=WORKER,
        queue="default",
        cause="it was cancelled and its worker was killed",
        in_flight=running,
        begun=frozenset({running}),
        limits={},
    )
    done = settling.settle(table.connection, death, node="a", max_attempts=3, wait=60)
    assert done == settling.Settlement(released=2, cancelled=1)
    assert table.state(running) == State.CANCELLED
    assert table.state(unbegun) == State.CANCELLED
    assert table.state(unmarked) == State.READY
    why = "it was cancelled and its worker was killed while this job ran"
    assert outcomes(table) == [(running, "cancelled", why)]
    assert table.claim()[0].id == unmarked


def test_marked_jobs_of_a_lost_node_are_cancelled(table: Table) -> None:
    first, second, third = table.add(3)
    table.claim(most=1)
    table.claim(most=2)
    mark(table, first, second)
    done = settling.rescue(table.connection, "default", BOOT, why="lost", node="a", max_attempts=3)
    assert done == settling.Settlement(released=2, cancelled=1)
    states = [table.state(job_id) for job_id in (first, second, third)]
    assert states == [State.CANCELLED, State.CANCELLED, State.READY]
    assert outcomes(table) == [(first, "cancelled", "lost")]
