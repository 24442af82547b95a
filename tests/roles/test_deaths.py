"""The dead on the board: one that cannot be settled must not hold up the others."""

import pytest

from qsuper.errors import StoreError, StoreUnavailable
from qsuper.roles import deaths
from qsuper.scoreboard import Record
from qsuper.states import State
from tests.roles.bench import Bench


def dead_worker(bench: Bench) -> tuple[Record, int]:
    """A worker that was killed before its only job began."""
    record = bench.record()
    (job_id,) = bench.add_running(record.worker)
    record.hold([job_id], [5])
    record.ended, record.status = 1, 9
    return record, job_id


def test_a_row_that_cannot_be_written_does_not_keep_the_other_dead_waiting(
    sqlite_bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench = sqlite_bench
    bad, bad_job = dead_worker(bench)
    good, good_job = dead_worker(bench)
    bench.table.write(
        f"CREATE TRIGGER broken BEFORE UPDATE ON queue WHEN OLD.id = {bad_job}"
        " BEGIN SELECT RAISE(ABORT, 'this row is broken'); END"
    )
    deaths.settle_the_dead(bench.place(), bench.table.connection)
    assert good.settled
    assert bench.table.row(good_job, "status", "attempt") == (State.READY, 0)
    assert bad.settled, "its rows are left to the sweep"
    assert bench.table.state(bad_job) == State.RUNNING
    assert "this row is broken" in caplog.text
    assert bad.worker in caplog.text


def test_while_the_database_is_away_nobody_counts_as_settled(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [dead_worker(sqlite_bench)[0] for _ in range(2)]

    def settle(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(deaths, "settle", settle)
    with pytest.raises(StoreError, match="away"):
        deaths.settle_the_dead(sqlite_bench.place(), sqlite_bench.table.connection)
    assert [record.settled for record in records] == [0, 0]
