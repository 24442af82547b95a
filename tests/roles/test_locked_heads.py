"""MariaDB: many locked rows at the head of an index hide none of the free ones behind them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from qsuper.slices import Slice
from qsuper.states import State
from qsuper.store import claiming, looking
from tests.roles.bench import Bench
from tests.store.table import Table

LOCKED, FREE = 100, 50


@contextmanager
def all_held(table: Table, ids: list[int]) -> Iterator[None]:
    """Somebody's transaction has changed all of these rows."""
    caller = table.bare(autocommit=False)
    with caller.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cursor.execute(f"UPDATE queue SET progress = 'x' WHERE id IN ({', '.join(map(str, ids))})")
        assert cursor.rowcount == len(ids)
    yield
    caller.rollback()


@pytest.mark.parametrize("most", [1, 10, FREE])
def test_a_claim_takes_what_is_free_behind_a_locked_head(mysql_bench: Bench, most: int) -> None:
    table = mysql_bench.table
    locked, free = table.add(LOCKED), table.add(FREE)
    with all_held(table, locked):
        assert [job.id for job in table.claim(most=most)] == free[:most]
    assert table.states() == {State.READY: LOCKED + FREE - most, State.RUNNING: most}


@pytest.mark.parametrize("most", [1, 10])
def test_a_strict_claim_does_so_too_and_keeps_to_its_slice(mysql_bench: Bench, most: int) -> None:
    table, mine = mysql_bench.table, Slice(1, 3)
    locked, free = table.add(LOCKED), table.add(FREE)
    own = [job_id for job_id in free if job_id % mine.count == mine.index]
    with all_held(table, locked):
        claim = claiming.claim(
            table.connection, queue="default", worker="w-1", mine=mine, most=most, helps=False
        )
    assert [job.id for job in claim.jobs] == own[:most]
    assert table.states() == {State.READY: LOCKED + FREE - most, State.RUNNING: most}


def test_due_rows_behind_more_locked_ones_than_one_look_takes_are_promoted(
    mysql_bench: Bench,
) -> None:
    table, many = mysql_bench.table, looking.PROMOTE_MOST + 100
    locked = table.add(many, status=4, run_at="2020-01-01 00:00:00")
    table.add(FREE, status=4, run_at="2020-01-02 00:00:00")
    with all_held(table, locked):
        assert looking.promote(table.connection, "default") == FREE
        assert table.states() == {State.SCHEDULED: many, State.READY: FREE}
    assert looking.promote(table.connection, "default") == looking.PROMOTE_MOST
