"""A worker's batch while the world changes around it, and acks that somebody holds up."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from qsuper.roles import acks
from qsuper.roles.role import DRAIN
from qsuper.roles.worker import LAST_ACKS
from qsuper.scoreboard import clock
from qsuper.states import State
from tests.roles.bench import LEASE, Bench
from tests.wait import wait_for

JOBS = 3


def end_the_lease(bench: Bench) -> None:
    """As after the process was frozen: the clock has gone on."""
    bench.board.header.renewed = clock() - LEASE


def pause_the_node(bench: Bench) -> None:
    bench.board.header.paused = 1


def pause_the_queue(bench: Bench) -> None:
    bench.queue.paused = 1


@pytest.mark.parametrize("change", [end_the_lease, pause_the_node, pause_the_queue])
def test_the_rest_of_the_batch_goes_back_when_nothing_may_begin_any_more(
    bench: Bench, change: Callable[[Bench], None]
) -> None:
    ran: list[int] = []

    def send_msg() -> None:
        ran.append(1)
        change(bench)

    bench.task(send_msg)
    ids = bench.table.add(JOBS)
    worker = bench.worker()
    worker.pace.size = JOBS
    worker.tick(clock())
    assert len(ran) == 1
    assert bench.table.state(ids[0]) == State.DONE
    columns = ("status", "attempt", "worker")
    assert [bench.table.row(id, *columns) for id in ids[1:]] == [(State.READY, 0, None)] * 2


def test_a_batch_is_run_to_its_end_while_the_lease_is_in_force(bench: Bench) -> None:
    ran: list[int] = []
    bench.task(counting(ran))
    bench.table.add(JOBS)
    worker = bench.worker()
    worker.pace.size = JOBS
    worker.tick(clock())
    assert len(ran) == JOBS
    assert bench.table.states() == {State.DONE: JOBS}


def counting(ran: list[int]) -> Callable[[], None]:
    def send_msg() -> None:
        ran.append(1)

    return send_msg


@pytest.mark.parametrize("fails", [False, True], ids=["done", "failed"])
def test_an_ack_whose_row_is_held_delays_neither_the_others_nor_the_next_claim(
    mysql_bench: Bench, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    bench, lunch = mysql_bench, ExitStack()
    ids = bench.table.add(JOBS)
    ran: list[int] = []

    def send_msg() -> None:
        ran.append(1)
        if len(ran) == 1:
            lunch.enter_context(bench.table.held(ids[0]))
            if fails:
                raise ValueError("no")

    bench.task(send_msg)
    worker = bench.worker()
    with lunch:
        for _ in range(JOBS):
            assert worker.tick(clock()) == 0.0, "it goes on at once"
        assert len(ran) == JOBS
        assert [bench.table.state(id) for id in ids] == [State.RUNNING, State.DONE, State.DONE]

        worker.order = DRAIN
        monkeypatch.setattr(acks, "HELD_AGAIN", 0.1)
        assert worker.tick(clock()) == LAST_ACKS, "it does not leave with an ack unwritten"
        assert bench.table.state(ids[0]) == State.RUNNING
    wait_for(lambda: worker.tick(clock()) is None, message="it drains")
    assert bench.table.state(ids[0]) == (State.SCHEDULED if fails else State.DONE)
    assert worker.record.fenced == 0


def test_a_held_ack_is_tried_again_a_few_seconds_later(mysql_bench: Bench) -> None:
    """Nothing else need happen: no new ack, no new claim."""
    bench, lunch = mysql_bench, ExitStack()
    (job_id,) = bench.table.add()

    def send_msg() -> None:
        lunch.enter_context(bench.table.held(job_id))

    bench.task(send_msg)
    worker = bench.worker()
    with lunch:
        worker.tick(clock())
        assert worker.acks.ids == {job_id}
    wait_for(lambda: worker.tick(clock()) and not worker.acks, message="the ack is written")
    assert bench.table.state(job_id) == State.DONE
