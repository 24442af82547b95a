"""Running rows of boots that nobody knows: no node's end will ever free them."""

import pytest

from qsuper.roles.rescuing import free_the_unknown
from qsuper.states import State
from qsuper.store import nodes
from tests.roles.bench import BOOT, LEASE, Bench

OLD = 2 * LEASE + 5


def freed(bench: Bench) -> int:
    return free_the_unknown(bench.place(), bench.table.connection)


def test_an_old_job_of_a_boot_that_nobody_knows_goes_back_uncounted(bench: Bench) -> None:
    (job_id,) = bench.add_running("lostboot-3", attempt=2, claims=2)
    bench.age(job_id, OLD)
    assert freed(bench) == 1
    columns = ("status", "worker", "attempt", "claims", "solo")
    assert bench.table.row(job_id, *columns) == (State.READY, None, 1, 2, 2)
    assert bench.table.read("SELECT COUNT(*) FROM attempts") == [(0,)]
    assert freed(bench) == 0


def test_a_running_row_that_never_had_a_worker_goes_back(bench: Bench) -> None:
    """A stranger wrote it so."""
    (job_id,) = bench.table.add(status=int(State.RUNNING))
    bench.age(job_id, OLD)
    assert freed(bench) == 1
    assert bench.table.state(job_id) == State.READY


def test_a_young_job_of_an_unknown_boot_stays(bench: Bench) -> None:
    """Its node may be about to enter."""
    (job_id,) = bench.add_running("newboot-3")
    bench.age(job_id, LEASE)
    assert freed(bench) == 0
    assert bench.table.row(job_id, "status", "worker") == (State.RUNNING, "newboot-3")


@pytest.mark.parametrize("lease", [LEASE, -1.0], ids=["alive", "silent"])
def test_an_old_job_of_a_known_node_stays(bench: Bench, lease: float) -> None:
    """A silent node is for the rescue, which takes two looks."""
    bench.enter("another node", "otherboot", lease=lease)
    ids = [*bench.add_running("otherboot-1"), *bench.add_running(f"{BOOT}-0")]
    for job_id in ids:
        bench.age(job_id, OLD)
    assert freed(bench) == 0
    assert bench.table.states() == {State.RUNNING: 2}


def test_a_claim_that_commits_after_its_nodes_rescue_goes_back(bench: Bench) -> None:
    bench.enter("another node", "otherboot", lease=-1.0)
    (lost,) = [node for node in nodes.everyone(bench.table.connection) if node.boot != BOOT]
    assert nodes.suspect(bench.table.connection, lost)
    assert nodes.mark_rescued(bench.table.connection, lost)
    (job_id,) = bench.add_running("otherboot-1")
    bench.age(job_id, OLD)
    assert freed(bench) == 0, "whoever marked the node is at its rows"
    bench.table.write("UPDATE nodes SET lease_until = {ago:age} WHERE id = 'another node'", age=OLD)
    assert freed(bench) == 1
    assert bench.table.row(job_id, "status", "solo") == (State.READY, 2)
