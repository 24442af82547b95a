"""A claim costs the same before a million rows as before ten thousand."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qsuper.slices import Slice
from qsuper.states import State
from qsuper.store import acking
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from tests.acceptance.figures import Figures
from tests.servers import MariaDB
from tests.store.table import WORKER, Table

FEW, MANY = 10_000, 1_000_000
WORKERS = 4
ROUNDS, CLAIMS = 16, 40
ATTEMPTS = 3
"""A machine that does something else for a moment has not shown anything yet."""

_DOUBLE = Statement(
    """
    INSERT INTO queue (id, task, status) SELECT id + :shift, task, status FROM queue
    WHERE id >= :first AND id < :end
    """
)


@pytest.mark.parametrize("engine", ["mariadb", "sqlite"])
def test_the_median_claim_before_a_million_rows_costs_at_most_half_as_much_again(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, figures: Figures
) -> None:
    server: MariaDB | None = None
    if engine == "mariadb":
        server = request.getfixturevalue("own_mariadb")(
            innodb_buffer_pool_size="512M", innodb_autoinc_lock_mode=2
        )
        urls = [server.create_database(), server.create_database()]
    else:
        urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("few", "many")]
    few, many = tables = [Table(url) for url in urls]
    try:
        fill(few, FEW)
        fill(many, MANY)
        for _ in range(ATTEMPTS):
            cost_few, cost_many = medians(few, many)
            ratio = cost_many / cost_few
            figures(few_ms=cost_few * 1e3, many_ms=cost_many * 1e3, ratio=ratio)
            if ratio <= 1.5:
                break
        assert ratio <= 1.5, f"a claim costs {ratio:.2f} times as much before {MANY} rows"
    finally:
        for table in tables:
            table.close()


def medians(few: Table, many: Table) -> tuple[float, float]:
    """Seconds of a claim and its ack on both, taken in turns so that both meet the same noise."""
    took: dict[int, list[float]] = {id(few): [], id(many): []}
    for turn in range(ROUNDS):
        for table in (few, many):
            took[id(table)] += [claim_and_ack(table, turn % WORKERS) for _ in range(CLAIMS)]
    return statistics.median(took[id(few)]), statistics.median(took[id(many)])


def claim_and_ack(table: Table, index: int) -> float:
    began = time.perf_counter()
    jobs = table.claim(mine=Slice(index, WORKERS))
    assert len(jobs) == acking.complete(table.connection, WORKER, [jobs[0].id], 1) == 1
    return time.perf_counter() - began


def fill(table: Table, count: int) -> None:
    """As many finished rows, then as many ready ones, by doubling what is there; both at once."""
    with ThreadPoolExecutor() as pool:
        halves = [
            pool.submit(fill_half, table.connect(), state, first, count)
            for state, first in ((State.DONE, 1), (State.READY, count + 1))
        ]
    for half in halves:
        half.result()


def fill_half(connection: Connection, state: State, first: int, count: int) -> None:
    # Ids of our own: the server would give its own to one statement at a time.
    columns = {"id": first, "status": int(state)}
    connection.run(
        Statement("INSERT INTO queue (id, task, status) VALUES (:id, 'x', :status)"), **columns
    )
    have = 1
    while have < count:
        more = min(have, count - have)
        connection.run(_DOUBLE, shift=have, first=first, end=first + more)
        have += more
