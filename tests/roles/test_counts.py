"""The keeper's count each second, and what a picture makes of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from qsuper.history import History
from qsuper.roles import counts
from qsuper.roles.counts import MINUTE
from qsuper.roles.keeper import Keeper
from qsuper.scoreboard import OUTCOMES
from qsuper.store import counting
from tests.roles.bench import Bench

DONE = OUTCOMES.index("done")


class Seconds:
    """Both clocks, set by the test."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.unix = 1_800_000_000.0

    def clock(self) -> float:
        return 1000.0 + self.passed

    def time(self) -> float:
        return self.unix + self.passed


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    seconds = Seconds()
    monkeypatch.setattr(counts, "clock", seconds.clock)
    monkeypatch.setattr("time.time", seconds.time)
    return seconds


@pytest.fixture
def keeper(bench: Bench) -> Iterator[Keeper]:
    (bench.folder / "var").mkdir(exist_ok=True)
    keeper = Keeper(bench.place())
    yield keeper
    keeper.link.drop()


def count(keeper: Keeper) -> dict[str, Any]:
    keeper.chores[0].do(keeper, keeper.connection())
    told: dict[str, Any] = keeper.board.bulletin("keeper").read()
    return told


def test_the_depths_of_all_queues_are_told(bench: Bench, keeper: Keeper) -> None:
    bench.table.add(3)
    bench.table.add(2, queue="mail", status=3)
    told = {queue["queue"]: queue for queue in count(keeper)["queues"]}
    assert told["default"]["states"]["ready"] == 3
    assert told["default"]["oldest_ready"] >= 0.0
    assert told["mail"]["states"]["dead"] == 2
    assert told["mail"]["oldest_ready"] is None


def test_the_last_minute_is_what_was_counted_within_it(
    bench: Bench, keeper: Keeper, seconds: Seconds
) -> None:
    worker = bench.board.meter(bench.record().slot)
    count(keeper)
    for _ in range(MINUTE + 40):
        seconds.passed += 1.0
        worker.ended("mail", DONE, 0.02, 0.3)
        told = count(keeper)["minute"]
    assert told["seconds"] == pytest.approx(MINUTE + 1, abs=1.0)
    assert told["outcomes"]["done"] == pytest.approx(told["seconds"])
    assert sum(told["waits"]["default"]["counts"]) == told["outcomes"]["done"]
    seconds.passed += 300.0
    told = count(keeper)["minute"]
    assert told["outcomes"]["done"] == 0


def test_a_clock_that_is_set_back_makes_no_rate_negative(
    bench: Bench, keeper: Keeper, seconds: Seconds
) -> None:
    worker = bench.board.meter(bench.record().slot)
    count(keeper)
    seconds.passed += 1.0
    seconds.unix -= 3600.0
    worker.ended("mail", DONE, 0.02, 0.3)
    told = count(keeper)["minute"]
    assert (told["seconds"], told["outcomes"]["done"]) == (1.0, 1)


def test_what_was_done_goes_into_the_history_once(
    bench: Bench, keeper: Keeper, seconds: Seconds
) -> None:
    worker = bench.board.meter(bench.record().slot)
    count(keeper)
    for _ in range(3):
        worker.ended("mail", DONE, 0.02, 0.3)
        seconds.passed += 1.0
        count(keeper)
    points = History.open(bench.folder / "var" / "history").hour(seconds.time())
    assert sum(point.outcomes["done"] for point in points) == 3


def test_where_no_history_can_be_kept_the_rest_is_told(
    bench: Bench, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    (bench.folder / "var" / "history").mkdir()
    (bench.folder / "var" / "history" / "in the way").touch()
    for _ in range(3):
        assert count(keeper)["queues"]
    assert sum("not kept" in record.message for record in caplog.records) == 1


def test_more_queues_than_there_is_room_for_do_not_end_the_keeper(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number:064d}" for number in range(2000)]
    monkeypatch.setattr(counting, "queue_names", lambda _: names)
    told = count(keeper)
    assert [queue["queue"] for queue in told["queues"]] == ["default"]


def test_what_falls_due_next_is_told(bench: Bench, keeper: Keeper) -> None:
    for name, ahead in (("late", 500.0), ("soon", 50.0)):
        job = bench.table.add(status=4, name=name)[0]
        bench.table.write(
            "UPDATE queue SET run_at = {in:ahead} WHERE id = :id", ahead=ahead, id=job
        )
    assert [due["name"] for due in count(keeper)["due"]] == ["soon", "late"]


def test_a_task_whose_name_is_no_utf_8_is_told_all_the_same(bench: Bench, keeper: Keeper) -> None:
    if bench.table.connection.backend.name == "sqlite":
        bench.table.connection.raw.execute(
            "INSERT INTO queue (task, status, run_at)"
            " VALUES (CAST(x'ff62' AS TEXT), 4, '2099-01-01 00:00:00')"
        )
    else:
        bench.table.add(status=4, task="b")
    (due,) = count(keeper)["due"]
    assert due["task"].endswith("b")
