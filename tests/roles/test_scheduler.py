"""When the scheduler looks, what it promotes, whom it wakes, how long it rests."""

import os

import pytest

from qsuper.place import Place
from qsuper.roles import scheduler as role
from qsuper.roles.scheduler import LOOK, LOOK_BUSY, Scheduler
from qsuper.scoreboard import clock
from qsuper.states import State
from qsuper.store.backend import StoreBusy
from qsuper.store.database import Connection
from qsuper.store.looking import PROMOTE_MOST, Promoter, Sight, Watcher
from tests.roles.bench import Bench

FOREVER = 3600.0


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Sight]]:
    """What each look at the tables has seen."""
    seen: list[dict[str, Sight]] = []
    look = Watcher.look

    def look_and_note(self: Watcher, connection: Connection) -> dict[str, Sight]:
        seen.append(look(self, connection))
        return seen[-1]

    monkeypatch.setattr(Watcher, "look", look_and_note)
    return seen


def scheduler_of(bench: Bench, *phases: str) -> Scheduler:
    """With one worker in each of these phases."""
    own = bench.board.take()
    own.pid, own.role, own.queue = os.getpid(), "scheduler", -1
    for phase in phases:
        bench.record().describe(phase=phase)
    return Scheduler(Place(bench.config, bench.board, own, None, "scheduler"))


def wakes(bench: Bench) -> int:
    """Bytes in the queue's pipe since it was last asked."""
    try:
        return len(os.read(bench.queue.wake_read, 4096))
    except BlockingIOError:
        return 0


def test_due_rows_are_promoted_and_a_worker_is_woken_for_each_but_once(bench: Bench) -> None:
    scheduler = scheduler_of(bench, "idle", "idle", "idle", "busy")
    bench.table.add(2, status=int(State.SCHEDULED))
    assert scheduler.tick(clock()) == 0.0, "and what comes next is looked for at once"
    assert bench.table.states() == {State.READY: 2}
    assert wakes(bench) == 2
    assert scheduler.tick(clock()) == LOOK
    assert wakes(bench) == 0, "they are on their way"
    scheduler.tick(clock() + 1.5)
    assert wakes(bench) == 2, "nobody came: once more"


def test_many_due_rows_are_promoted_in_one_round_and_workers_woken_meanwhile(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role, "PROMOTE_FOR", FOREVER)
    scheduler = scheduler_of(bench, "idle")
    bench.table.add(2 * PROMOTE_MOST + 5, status=int(State.SCHEDULED))
    promote = Promoter.promote
    before_each: list[int] = []

    def promote_and_note(self: Promoter, connection: Connection, queue: str, now: float) -> int:
        before_each.append(wakes(bench))
        return promote(self, connection, queue, now)

    monkeypatch.setattr(Promoter, "promote", promote_and_note)
    assert scheduler.tick(clock()) == 0.0
    assert bench.table.states() == {State.READY: 2 * PROMOTE_MOST + 5}
    assert before_each == [0, 1, 1]


def test_a_round_of_promotions_ends_in_time_for_the_other_duties(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role, "PROMOTE_FOR", 0.0)
    scheduler = scheduler_of(bench, "idle")
    bench.table.add(PROMOTE_MOST + 5, status=int(State.SCHEDULED))
    assert scheduler.tick(clock()) == 0.0, "the rest at once"
    assert bench.table.states() == {State.READY: PROMOTE_MOST, State.SCHEDULED: 5}
    scheduler.tick(clock())
    assert bench.table.states() == {State.READY: PROMOTE_MOST + 5}


def test_a_due_row_that_somebody_holds_is_no_reason_to_spin(mysql_bench: Bench) -> None:
    scheduler = scheduler_of(mysql_bench, "idle")
    (held,) = mysql_bench.table.add(status=int(State.SCHEDULED))
    with mysql_bench.table.held(held):
        scheduler.tick(clock())
        for _ in range(3):
            rest = scheduler.tick(clock())
            assert rest is not None
            assert rest > 0.0
        assert mysql_bench.table.state(held) == State.SCHEDULED
    scheduler.tick(clock())
    assert mysql_bench.table.state(held) == State.READY


@pytest.mark.parametrize("phase", ["idle", "busy"])
def test_the_rest_ends_when_the_next_row_is_due(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    seen = {"default": Sight(0, FOREVER)}
    monkeypatch.setattr(Watcher, "look", lambda self, connection: seen)
    scheduler = scheduler_of(bench, phase)
    assert scheduler.tick(clock()) == LOOK
    seen["default"] = Sight(0, LOOK / 2)
    bench.table.add()
    now = clock() + LOOK_BUSY
    rest = scheduler.tick(now)
    assert rest is not None
    assert rest <= LOOK / 2


def test_while_all_workers_are_busy_it_looks_less_often(
    mysql_bench: Bench, looks: list[dict[str, Sight]]
) -> None:
    scheduler = scheduler_of(mysql_bench, "busy")
    now = clock()
    scheduler.tick(now)
    scheduler.tick(now + LOOK)
    assert len(looks) == 1
    scheduler.tick(now + LOOK_BUSY)
    assert len(looks) == 2
    mysql_bench.record().describe(phase="idle")
    scheduler.tick(now + LOOK_BUSY + LOOK)
    assert len(looks) == 3, "one of them has become idle"


def test_on_sqlite_it_looks_when_somebody_has_written_and_once_a_second(
    sqlite_bench: Bench, looks: list[dict[str, Sight]]
) -> None:
    scheduler = scheduler_of(sqlite_bench, "idle")
    now = clock()
    scheduler.tick(now)
    scheduler.tick(now + LOOK)
    assert len(looks) == 1
    sqlite_bench.table.add(status=int(State.DONE))
    scheduler.tick(now + 2 * LOOK)
    assert len(looks) == 2
    scheduler.tick(now + 1.5)
    assert len(looks) == 3, "the database's clock may have been set"


def test_a_promotion_that_found_the_file_locked_is_made_on_the_next_tick(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = sqlite_bench
    scheduler = scheduler_of(bench, "idle")
    now = clock()
    scheduler.tick(now)
    (job_id,) = bench.table.add(status=int(State.SCHEDULED))
    promote = Promoter.promote
    refused: list[str] = []

    def promote_but_once(self: Promoter, connection: Connection, queue: str, now: float) -> int:
        if not refused:
            refused.append(queue)
            raise StoreBusy("database is locked")
        return promote(self, connection, queue, now)

    monkeypatch.setattr(Promoter, "promote", promote_but_once)
    with pytest.raises(StoreBusy):
        scheduler.tick(now)
    assert bench.table.state(job_id) == State.SCHEDULED
    assert refused == ["default"]
    scheduler.tick(now)
    assert bench.table.state(job_id) == State.READY
