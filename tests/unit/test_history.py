"""The last hour and the last day, in a file."""

from pathlib import Path

import pytest

from qsuper.errors import ScoreboardError
from qsuper.history import DAY, HOUR, History, More
from qsuper.scoreboard import OUTCOMES, no_runs, no_waits

NOW = 1_800_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history"


def more(done: int = 0, **gauges: int) -> More:
    waits, runs = no_waits(), no_runs()
    waits.counts[3], waits.microseconds = done, 40_000 * done
    runs.counts[5], runs.microseconds = done, 90_000 * done
    return More([done, *(0 for _ in OUTCOMES[1:])], waits, runs, **gauges)


def test_what_is_added_within_a_point_is_one_point(path: Path) -> None:
    history = History.keep(path)
    history.add(more(3, ready=9, wanted=4, running=4), NOW)
    history.add(more(4, ready=2, wanted=4, running=3), NOW + HOUR.width - 1)
    (point,) = History.open(path).hour(NOW + 5)
    assert point.outcomes["done"] == sum(point.waits.counts) == sum(point.runs.counts) == 7
    assert point.runs.microseconds == 630_000
    assert (point.ready, point.running) == (9, 3)
    assert history.day(NOW + 5)[0].outcomes["done"] == 7


def test_points_come_in_their_order_and_the_oldest_make_room(path: Path) -> None:
    history = History.keep(path)
    for number in range(HOUR.points + 50):
        history.add(more(number), NOW + number * HOUR.width)
    last = NOW + (HOUR.points + 49) * HOUR.width
    points = history.hour(last)
    assert [point.outcomes["done"] for point in points] == list(range(50, HOUR.points + 50))
    assert sum(point.outcomes["done"] for point in history.day(last)) == sum(
        range(HOUR.points + 50)
    )


def test_a_daemon_that_was_down_leaves_a_gap(path: Path) -> None:
    History.keep(path).add(more(1), NOW)
    history = History.keep(path)
    later = NOW + 30 * HOUR.width
    history.add(more(2), later)
    assert [point.at for point in history.hour(later)] == [NOW, later]
    assert history.hour(later + HOUR.width * HOUR.points - 1)[0].at == later
    assert history.hour(later + DAY.width * DAY.points) == []


def test_a_clock_that_was_set_back_shows_no_point_of_a_time_to_come(path: Path) -> None:
    history = History.keep(path)
    history.add(more(1), NOW + 7200)
    history.add(more(2), NOW)
    assert [point.outcomes["done"] for point in history.hour(NOW + 1)] == [2]


def test_a_file_of_another_version_is_replaced_by_who_writes_and_refused_to_who_reads(
    path: Path,
) -> None:
    path.write_bytes(b"something else")
    with pytest.raises(ScoreboardError, match="no history"):
        History.open(path)
    History.keep(path).add(more(1), NOW)
    assert len(History.open(path).hour(NOW)) == 1
