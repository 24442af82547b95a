"""Claims of many workers at the same time: no row has two holders, none is left."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from qsuper.slices import WHOLE, Slice
from qsuper.states import State
from qsuper.store import acking, claiming, releasing
from qsuper.store.backend import Statement, StoreBusy
from tests.store.table import Table

ROWS = 2000
WORKERS = 8
BATCH = 20


def work_off(table: Table, *, sliced: bool, give_back: bool = False) -> Counter[int]:
    """Let the workers claim and ack until nothing is ready; how often each job was run."""
    connections = [table.connect() for _ in range(WORKERS)]

    def work(index: int) -> list[int]:
        worker, run = f"boot-{index}", list[int]()
        connection, chance = connections[index], random.Random(index)
        mine = Slice(index, WORKERS) if sliced else WHOLE
        while True:
            try:
                claim = claiming.claim(
                    connection, queue="default", worker=worker, mine=mine, most=BATCH
                )
                jobs = claim.jobs
                if give_back and chance.random() < 0.3:
                    half = len(jobs) // 2
                    releasing.release(connection, worker, jobs[half:])
                    jobs = jobs[:half]
                run += [job.id for job in jobs]
                if jobs:
                    acking.complete(connection, worker, [job.id for job in jobs], 1)
            except StoreBusy:
                continue
            if not claim.jobs and not claim.conflicts:
                return run

    with ThreadPoolExecutor(WORKERS) as threads:
        runs = list(threads.map(work, range(WORKERS)))
    return Counter(job_id for run in runs for job_id in run)


@pytest.mark.parametrize("sliced", [True, False], ids=["each its slice", "all the whole queue"])
def test_no_row_is_claimed_twice_and_none_is_left(table: Table, sliced: bool) -> None:
    ids = table.add(ROWS)
    runs = work_off(table, sliced=sliced)
    assert runs == Counter(ids)
    assert table.states() == {State.DONE: ROWS}
    assert table.read("SELECT DISTINCT claims, attempt FROM queue") == [(1, 1)]


def test_rows_given_back_in_the_middle_are_run_once_and_counted_once(table: Table) -> None:
    ids = table.add(ROWS)
    runs = work_off(table, sliced=False, give_back=True)
    while left := work_off(table, sliced=False):
        runs += left
    assert runs == Counter(ids)
    assert table.states() == {State.DONE: ROWS}
    assert table.read("SELECT DISTINCT attempt FROM queue") == [(1,)]


def test_without_its_guard_a_claim_gives_doubles_and_the_count_sees_them(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    unguarded = claiming._CLAIM.text.partition(" AND ")[0]
    bound = " AND :fewest <= :most"
    monkeypatch.setattr(claiming, "_CLAIM", Statement(unguarded + bound))
    table.add(2)
    other = table.connect()

    def overtaken(point: str) -> None:
        if point == "candidates-read":
            monkeypatch.setattr(claiming, "failpoint", lambda point: None)
            doubled.extend(claiming.claim(other, queue="default", worker="boot-2").jobs)

    doubled: list[object] = []
    monkeypatch.setattr(claiming, "failpoint", overtaken)
    runs = Counter(job.id for job in [*table.claim(), *doubled])  # type: ignore[attr-defined]
    assert max(runs.values()) == 2
