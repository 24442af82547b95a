"""The last hour and the last day, in a file."""

from pathlib import Path

import pytest

from qsuper.errors import ScoreboardError
from qsuper.history import DAY, HOUR, Gauges, History, Sums
from qsuper.scoreboard import OUTCOMES, no_runs, no_waits

NOW = 1_800_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history"


class Node:
    """What one master has counted, more and more."""

    def __init__(self, path: Path, master: float = 1.0) -> None:
        self.history = History.keep(path)
        self.master = master
        self.done = 0

    def add(self, done: int, unix: float, **gauges: int) -> None:
        self.done += done
        waits, runs = no_waits(), no_runs()
        waits.counts[3], waits.microseconds = self.done, 40_000 * self.done
        runs.counts[5], runs.microseconds = self.done, 90_000 * self.done
        sums = Sums([self.done, *(0 for _ in OUTCOMES[1:])], waits, runs)
        self.history.add(sums, Gauges(**gauges), master=self.master, unix=unix)


def test_what_is_added_within_a_point_is_one_point(path: Path) -> None:
    node = Node(path)
    node.add(3, NOW, ready=9, wanted=4, running=4)
    node.add(4, NOW + HOUR.width - 1, ready=2, wanted=4, running=3)
    (point,) = History.open(path).hour(NOW + 5)
    assert point.outcomes["done"] == sum(point.waits.counts) == sum(point.runs.counts) == 7
    assert point.runs.microseconds == 630_000
    assert (point.ready, point.running) == (9, 3)
    assert node.history.day(NOW + 5)[0].outcomes["done"] == 7


def test_points_come_in_their_order_and_the_oldest_make_room(path: Path) -> None:
    node = Node(path)
    for number in range(HOUR.points + 50):
        node.add(number, NOW + number * HOUR.width)
    history = node.history
    last = NOW + (HOUR.points + 49) * HOUR.width
    points = history.hour(last)
    assert [point.outcomes["done"] for point in points] == list(range(50, HOUR.points + 50))
    assert sum(point.outcomes["done"] for point in history.day(last)) == sum(
        range(HOUR.points + 50)
    )


def test_a_daemon_that_was_down_leaves_a_gap(path: Path) -> None:
    Node(path).add(1, NOW)
    node = Node(path, master=2.0)
    later = NOW + 30 * HOUR.width
    node.add(2, later)
    history = node.history
    assert [point.outcomes["done"] for point in history.hour(later)] == [1, 2]
    assert [point.at for point in history.hour(later)] == [NOW, later]
    assert history.hour(later + HOUR.width * HOUR.points - 1)[0].at == later
    assert history.hour(later + DAY.width * DAY.points) == []


def test_a_clock_that_was_set_back_shows_no_point_of_a_time_to_come(path: Path) -> None:
    node = Node(path)
    node.add(1, NOW + 7200)
    node.add(2, NOW)
    assert [point.outcomes["done"] for point in node.history.hour(NOW + 1)] == [2]


def test_a_file_of_another_version_is_replaced_by_who_writes_and_refused_to_who_reads(
    path: Path,
) -> None:
    path.write_bytes(b"something else")
    with pytest.raises(ScoreboardError, match="no history"):
        History.open(path)
    Node(path).add(1, NOW)
    assert len(History.open(path).hour(NOW)) == 1


def test_what_two_keepers_add_of_one_master_is_counted_once(path: Path) -> None:
    old, fresh = Node(path), Node(path)
    old.add(5, NOW)
    fresh.add(5, NOW + 1)
    old.add(2, NOW + 2)
    fresh.add(3, NOW + 3)
    assert [point.outcomes["done"] for point in History.open(path).hour(NOW + 4)] == [8]


def test_what_a_keeper_that_is_behind_adds_takes_nothing_away(path: Path) -> None:
    ahead, behind = Node(path), Node(path)
    ahead.add(5, NOW)
    behind.add(3, NOW + 1)
    ahead.add(1, NOW + 2)
    assert [point.outcomes["done"] for point in History.open(path).hour(NOW + 4)] == [6]
