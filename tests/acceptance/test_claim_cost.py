"""A claim costs the same before a million rows as before ten thousand."""

import statistics
import time
from pathlib import Path

import pytest

from qsuper.slices import Slice
from qsuper.states import State
from qsuper.store import acking, claiming
from tests.acceptance.figures import Figures
from tests.servers import MariaDB
from tests.store.table import WORKER, Table

FEW, MANY = 10_000, 1_000_000
WORKERS = 4
ROUNDS, CLAIMS = 16, 40
ATTEMPTS = 3
"""A machine that does something else for a moment has not shown anything yet."""

_DOUBLE = "INSERT INTO queue (task, status) SELECT task, status FROM queue WHERE queue = :queue"


@pytest.mark.parametrize("engine", ["mariadb", "sqlite"])
def test_the_median_claim_before_a_million_rows_costs_at_most_half_as_much_again(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, figures: Figures
) -> None:
    server: MariaDB | None = None
    if engine == "mariadb":
        server = request.getfixturevalue("own_mariadb")(innodb_buffer_pool_size="512M")
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
    """As many finished rows, then as many ready ones, by doubling what is there."""
    for state in (State.DONE, State.READY):
        have = len(table.add(1000, status=int(state)))
        while have < count:
            more = min(have, count - have)
            with table.connection.transaction():
                table.write(
                    f"{_DOUBLE} AND status = :status LIMIT :more",
                    queue="default",
                    status=int(state),
                    more=more,
                )
            have += more
    assert claiming.park(table.connection, "default") == 0
