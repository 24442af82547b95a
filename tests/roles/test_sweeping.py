"""The sweep and the workers that come to life while it looks."""

from qsuper.states import State
from qsuper.store import settling
from tests.roles.bench import BOOT, Bench


def test_a_worker_born_and_claiming_during_the_sweep_keeps_its_job(bench: Bench) -> None:
    """It is asked who lives after the rows are read, so that whoever holds one is known."""
    (stray,) = bench.add_running(f"{BOOT}-7")
    (ready,) = bench.table.add()
    known = frozenset(record.worker for record in bench.board.records())

    def living() -> frozenset[str]:
        # This one is forked the moment after the board was read.
        newborn = bench.record()
        (job,) = bench.table.claim(newborn.worker)
        assert job.id == ready
        return known

    connection = bench.table.connection
    assert settling.sweep(connection, "default", BOOT, living) == 1
    assert bench.table.state(stray) == State.READY
    assert bench.table.state(ready) == State.RUNNING


def test_who_is_alive_is_asked_only_when_something_runs(bench: Bench) -> None:
    def living() -> frozenset[str]:
        raise AssertionError("there is nothing to judge")

    bench.table.add()
    assert settling.sweep(bench.table.connection, "default", BOOT, living) == 0
