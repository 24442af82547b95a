"""SQLite: a look that failed is made again, though nobody has written since."""

import pytest

from qsuper.place import Place
from qsuper.roles.scheduler import Scheduler
from qsuper.scoreboard import clock
from qsuper.states import State
from qsuper.store import looking
from qsuper.store.backend import StoreBusy
from qsuper.store.database import Connection
from tests.roles.bench import Bench


def test_a_promotion_that_found_the_file_locked_is_made_on_the_next_tick(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = sqlite_bench
    scheduler = Scheduler(
        Place(bench.config, bench.board, bench.record(), None, "scheduler"),
    )
    now = clock()
    scheduler.tick(now)
    (job_id,) = bench.table.add(status=int(State.SCHEDULED))
    promote = looking.promote
    refused: list[str] = []

    def promote_but_once(connection: Connection, queue: str) -> int:
        if not refused:
            refused.append(queue)
            raise StoreBusy("database is locked")
        return promote(connection, queue)

    monkeypatch.setattr(looking, "promote", promote_but_once)
    with pytest.raises(StoreBusy):
        scheduler.tick(now)
    assert bench.table.state(job_id) == State.SCHEDULED
    assert refused == ["default"]
    scheduler.tick(now)
    assert bench.table.state(job_id) == State.READY
