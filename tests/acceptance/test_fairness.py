"""Nobody waits behind a busy worker, and no worker goes short."""

import statistics
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from qsuper.slices import Slice
from qsuper.store import acking
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import MariaDB
from tests.store.table import WORKER, Table

LONG_JOB = 1
BACKLOG = 4000
URGENT = range(10_000, 10_006)

SHARED_JOBS = 4500
READY_ROWS = 20_000
CLAIMS = 60
ATTEMPTS = 3
"""A machine that does something else for a moment has not shown anything yet."""


def test_an_urgent_row_of_a_busy_workers_slice_starts_within_a_second(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon.start()
    rows.add([(LONG_JOB, "work", {"n": LONG_JOB, "seconds": 60})])
    daemon.wait_until(lambda: daemon.worker_of(LONG_JOB), "the long job runs")
    rows.add((n, "work", {"n": n, "seconds": 0.01}) for n in range(2, BACKLOG + 2))
    daemon.wait_until(lambda: len(daemon.runs()) > 50, "the backlog keeps the others busy")
    busy = daemon.worker_of(LONG_JOB)
    board = daemon.board()
    assert busy
    assert board
    queue = board.queue(busy.queue)
    assert queue.total == 4

    waits = []
    for number in URGENT:
        # `number` tells the run; the id is of the slice of the worker in the long job.
        job_id = 4 * number + (queue.first + busy.ordinal) % 4
        inserted = time.monotonic_ns()
        rows.add([(job_id, "urgent", {"n": number})], priority=-10)
        (run, *_) = daemon.wait_until(partial(daemon.runs, number), "the urgent row runs")
        waits.append((run.began - inserted) / 1e9)

    figures(
        **{f"urgent_{place}_s": wait for place, wait in enumerate(waits, 1)}, worst_s=max(waits)
    )
    assert rows.count(0) > 0, "the others had nothing else to do"
    assert daemon.worker_of(LONG_JOB), "the long job has ended"
    assert max(waits) < 1.0


@pytest.mark.parametrize("workers", [3, 6, 9])
def test_where_ids_grow_by_three_no_worker_gets_less_than_half_of_its_share(
    workers: int, own_mariadb: Callable[..., MariaDB], folder: Path, figures: Figures
) -> None:
    rows = Rows(own_mariadb(auto_increment_increment=3).create_database())
    daemon = Daemon(folder, rows.url)
    try:
        daemon.write_config(queues={"default": {"workers": workers}})
        daemon.start()
        rows.run(
            "INSERT INTO queue (task, param)"
            """ SELECT 'work', CONCAT('{"n": ', seq, ', "seconds": 0.002}')"""
            f" FROM seq_1_to_{SHARED_JOBS}"
        )
        assert rows.run("SELECT COUNT(DISTINCT id % 3) FROM queue") == [(1,)]
        daemon.wait_until(lambda: rows.count(1) == SHARED_JOBS, "all are done")
        begun = Counter(run.pid for run in daemon.runs())
    finally:
        daemon.clean_up()
    assert len(begun) == workers
    fair = SHARED_JOBS / workers
    figures(workers=workers, fair_share=fair, least=min(begun.values()) / fair)
    assert min(begun.values()) >= fair / 2


def test_where_ids_grow_by_three_no_claim_costs_three_times_as_much(
    own_mariadb: Callable[..., MariaDB], figures: Figures
) -> None:
    server = own_mariadb(auto_increment_increment=3)
    by_one, by_three = tables = [Table(server.create_database()) for _ in range(2)]
    rows = f"FROM seq_1_to_{READY_ROWS}"
    by_one.write(f"INSERT INTO queue (id, task) SELECT seq, 'work' {rows}")
    by_three.write(f"INSERT INTO queue (task) SELECT 'work' {rows}")
    slices = [Slice(index, count) for count in (3, 6, 9) for index in range(count)]
    try:
        for _ in range(ATTEMPTS):
            costs = medians(by_one, by_three, slices)
            plain = costs.pop(None)
            worst, cost = max(costs.items(), key=lambda item: item[1])
            ratio = cost / plain
            figures(plain_ms=plain * 1e3, worst_ms=cost * 1e3, worst_slice=str(worst), ratio=ratio)
            if ratio <= 3:
                break
        assert ratio <= 3, f"a claim of slice {worst} costs {ratio:.1f} times a plain one"
    finally:
        for table in tables:
            table.close()


def medians(by_one: Table, by_three: Table, slices: list[Slice]) -> dict[Slice | None, float]:
    """Seconds of a claim by each slice where ids grow by three; under None, plain fourths."""
    took: dict[Slice | None, list[float]] = {key: [] for key in [None, *slices]}
    for turn in range(CLAIMS):
        took[None].append(claim(by_one, Slice(turn % 4, 4)))
        for mine in slices:
            took[mine].append(claim(by_three, mine))
    return {key: statistics.median(seconds) for key, seconds in took.items()}


def claim(table: Table, mine: Slice) -> float:
    began = time.perf_counter()
    jobs = table.claim(mine=mine)
    seconds = time.perf_counter() - began
    assert acking.complete(table.connection, WORKER, [jobs[0].id], 1) == 1
    return seconds
