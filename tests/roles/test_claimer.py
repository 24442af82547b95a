"""When a worker claims, for whom, and what it makes of a claim that brought nothing."""

import pytest

from qsuper.roles.turn import LANES, MANY
from qsuper.roles.worker import BEATEN
from qsuper.scoreboard import clock
from qsuper.slices import Slice
from qsuper.store import claiming, releasing
from qsuper.store.claiming import Claim
from tests.roles.bench import Bench


def test_who_was_beaten_to_it_tries_again_at_once_and_stays_quick(bench: Bench) -> None:
    worker = bench.worker()
    worker.pace.size = 8
    worker.claimer.look = lambda *_: Claim([], conflicts=3)  # type: ignore[method-assign]
    delay = worker.tick(clock())
    assert delay is not None
    assert delay <= 2 * BEATEN
    assert worker.pace.size == 8


def test_who_finds_nothing_rests_and_starts_anew_with_one(bench: Bench) -> None:
    worker = bench.worker()
    worker.pace.size = 8
    delay = worker.tick(clock())
    assert delay is not None
    assert delay > 10 * BEATEN
    assert worker.pace.size == 1


@pytest.mark.parametrize(
    ("ordinal", "most", "wanted"),
    [
        (17, MANY - 1, Slice(17, 64)),
        (17, MANY, Slice(16, 64, 16)),
        (63, MANY, Slice(48, 64, 16)),
        (0, MANY, Slice(0, 64, 16)),
    ],
)
def test_of_many_workers_those_of_a_lane_claim_many_jobs_from_one_slice(
    sqlite_bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    ordinal: int,
    most: int,
    wanted: Slice,
) -> None:
    queue = sqlite_bench.queue
    queue.wanted = queue.total = 64
    worker = sqlite_bench.worker()
    worker.record.ordinal = ordinal
    queue.everyone_at = clock()
    asked: list[Slice] = []

    def claim(*_: object, mine: Slice, **__: object) -> Claim:
        asked.append(mine)
        return Claim()

    monkeypatch.setattr(claiming, "claim", claim)
    worker.claimer.claim(sqlite_bench.table.connection, clock(), most)
    assert asked == [wanted]


def test_few_workers_have_no_lanes(sqlite_bench: Bench) -> None:
    sqlite_bench.queue.wanted = LANES
    assert sqlite_bench.worker().claimer.lane(512) is None


def test_one_claim_of_the_node_in_a_while_is_for_all_and_takes_few(
    bench: Bench,
) -> None:
    bench.queue.total = bench.queue.wanted = 2
    bench.table.add(3 * MANY)
    first, second = bench.worker(), bench.worker()
    second.record.ordinal = 1
    bench.queue.everyone_at = 0.0
    taken = first.claimer.claim(bench.table.connection, clock(), 2 * MANY)
    assert [job.id % 2 for job in taken[:4]] in ([0, 1, 0, 1], [1, 0, 1, 0])
    assert len(taken) == MANY
    others = second.claimer.claim(bench.table.connection, clock(), 2 * MANY)
    assert {job.id % 2 for job in others} == {1}


def test_strays_are_looked_for_often_only_after_the_database_has_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    monkeypatch.setattr(releasing, "release_strays", lambda *_: looks.append(1.0))
    worker = bench.worker()
    connection, now = bench.table.connection, clock()
    worker.claimer.claim(connection, now + 6, 1)
    assert not looks
    worker.claimer.lose()
    for later in (0.0, 1.0, 6.0, 7.0, 12.0):
        worker.claimer.claim(connection, now + later, 1)
    assert len(looks) == 3
    worker.claimer.claim(connection, now + 100, 1)
    worker.claimer.claim(connection, now + 110, 1)
    assert len(looks) == 4
