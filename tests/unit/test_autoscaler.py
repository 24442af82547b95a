"""From the scoreboard to decisions: what is looked at, when, and what is told."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qsuper.config import Autoscale, QueueConfig
from qsuper.config.tables.queues import WORKERS_MOST
from qsuper.master.autoscale.autoscaler import KEPT, Autoscaler
from qsuper.master.autoscale.turnout import Turnout, Turnouts
from qsuper.master.child import Child
from qsuper.place import Kind
from qsuper.scoreboard import Bulletin, Scoreboard
from qsuper.states import ChildState

WORKER = Kind("worker", lambda place: 0, per_queue=True)


def follows(least: int, most: int, **more: Any) -> QueueConfig:
    return QueueConfig(autoscale=Autoscale(min=least, max=most, pressure=100, **more))


class Scene:
    """A board, its keeper, workers that are always busy, and the autoscaler that looks at them."""

    def __init__(self, path: Path) -> None:
        self.board = Scoreboard.create(path)
        self.autoscaler = Autoscaler()
        self.queues = {"default": follows(1, 16), "mail": follows(2, 4), "fixed": QueueConfig()}
        self.children: list[Child] = []
        self.asked: dict[str, int] = {}
        self.barred = ""
        self.now = 1000.0

    def count(self, **waits: float | None) -> None:
        """The keeper says how long the oldest ready job of each queue waits."""
        counts = [
            {"queue": name, "states": {"ready": 99 if wait else 0}, "oldest_ready": wait}
            for name, wait in waits.items()
        ]
        self.board.bulletin("keeper").post({"queues": counts, "posted": time.time()})

    def look(self, later: float = 1.0) -> dict[str, int]:
        self.now += later
        self.autoscaler.look(
            self.board,
            self.children,
            self.queues,
            self.wanted(),
            asked=self.asked,
            barred=self.barred,
            now=self.now,
            unix=self.now + 5000.0,
        )
        self.staff()
        return self.autoscaler.workers(self.queues)

    def wanted(self) -> dict[str, int]:
        fixed = {name: queue.workers for name, queue in self.queues.items()}
        return fixed | self.autoscaler.workers(self.queues) | self.asked

    def staff(self) -> None:
        """As many busy workers as are wanted."""
        for name, count in self.wanted().items():
            places = [one for one in self.children if one.queue == name]
            for number in range(len(places), count):
                self.children.append(self.worker(name, number))
            for child in places[count:]:
                self.children.remove(child)

    def worker(self, queue: str, number: int, phase: str = "busy") -> Child:
        child = Child(WORKER, self.now, queue=queue, number=number)
        record = self.board.take()
        record.spawned = self.now + number
        record.describe(phase=phase)
        child.forked(1, record, self.now)
        child.booted(self.now)
        return child

    def told(self) -> list[tuple[str, int, int]]:
        return [(one["queue"], one["from"], one["to"]) for one in self.autoscaler.decisions]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path / "scoreboard")
    scene.staff()
    return scene


def test_each_count_leads_to_one_decision_for_each_queue_that_has_bounds(scene: Scene) -> None:
    assert scene.look() == {"default": 1, "mail": 2}
    scene.count(default=9.0, mail=0.0, fixed=50.0)
    assert scene.look() == {"default": 2, "mail": 2}
    assert scene.look() == {"default": 2, "mail": 2}
    scene.count(default=9.0, mail=9.0, fixed=50.0)
    assert scene.look() == {"default": 4, "mail": 4}
    assert scene.told() == [("default", 1, 2), ("default", 2, 4), ("mail", 2, 4)]
    last = scene.autoscaler.decisions[-1]
    assert (last["at"], last["wait"], last["ready"]) == (6004.0, 9.0, 99)
    assert all(percent >= 0 for percent in last["pressure"].values())


def test_what_the_last_run_has_counted_is_not_believed(scene: Scene) -> None:
    scene.count(default=900.0)
    assert scene.look()["default"] == 1
    assert not scene.told()


def test_a_keeper_that_stays_away_is_told_once_and_nothing_changes(scene: Scene) -> None:
    scene.look()
    scene.count(default=0.0, mail=0.0)
    for _ in range(20):
        scene.look()
    assert scene.told() == [("default", 1, 1), ("mail", 2, 2)]
    assert "were last counted 6s ago" in scene.autoscaler.decisions[0]["why"]
    scene.count(default=9.0, mail=0.0)
    assert scene.look()["default"] == 2


def test_a_bulletin_whose_writer_was_killed_in_the_middle_is_not_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.look()
    scene.count(default=9.0)
    scene.board.bulletin("keeper").sequence += 1
    with monkeypatch.context() as patch:
        patch.setattr(Bulletin, "read", lambda bulletin: pytest.fail("the master would wait"))
        assert scene.look()["default"] == 1
    scene.board.bulletin("keeper").sequence += 1
    assert scene.look()["default"] == 2


def test_two_queues_do_not_take_the_same_room(scene: Scene) -> None:
    scene.queues = {
        "default": follows(200, 400),
        "mail": follows(100, 400),
        "fixed": QueueConfig(workers=100),
    }
    scene.staff()
    scene.look()
    scene.count(default=9.0, mail=9.0)
    scene.look()
    assert sum(scene.wanted().values()) == WORKERS_MOST


def put_off(scene: Scene, name: str) -> None:
    if name == "the queue is paused":
        record = scene.board.queue(0)
        record.name, record.paused = "default", 1
        scene.board.header.queues = 1
    else:
        scene.barred = name


@pytest.mark.parametrize("why", ["the queue is paused", "this node is paused"])
def test_a_pause_changes_nothing_and_is_told(scene: Scene, why: str) -> None:
    put_off(scene, why)
    scene.look()
    scene.count(default=9.0)
    assert scene.look()["default"] == 1
    assert scene.autoscaler.decisions[0]["why"] == f"held back: {why}"


def test_what_somebody_asked_for_is_told_and_where_it_ended_the_autoscale_goes_on(
    scene: Scene,
) -> None:
    scene.look()
    scene.asked = {"default": 12}
    scene.count(default=9.0)
    scene.look()
    assert scene.told() == [("default", 1, 12)]
    scene.asked = {}
    scene.count(default=9.0)
    scene.look()
    assert scene.look()["default"] == 12


def test_bounds_that_change_hold_before_the_next_count(scene: Scene) -> None:
    scene.queues["default"] = follows(5, 6)
    assert scene.autoscaler.workers(scene.queues)["default"] == 5
    del scene.queues["mail"]
    assert scene.autoscaler.workers(scene.queues) == {"default": 5}


def test_only_the_last_decisions_are_kept(scene: Scene) -> None:
    scene.look()
    for number in range(KEPT + 10):
        scene.asked = {"default": number + 2}
        scene.count(default=0.0)
        scene.look()
    assert len(scene.autoscaler.decisions) == KEPT
    assert scene.autoscaler.decisions[-1]["to"] == KEPT + 11


def _retire(child: Child) -> None:
    child.retiring = True


def _fail(child: Child) -> None:
    child.exited(1 << 8, 1.0, worked=False)


@pytest.mark.parametrize(
    ("change", "turnout"),
    [
        (lambda child: None, Turnout(running=2, busy=1, worked=2, finished=7)),
        (_retire, Turnout(running=1, busy=0, worked=1, finished=7)),
        (_fail, Turnout(running=1, failing=1, busy=0, worked=1, finished=4)),
    ],
)
def test_a_turnout_counts_who_stays_and_what_everybody_has_finished(
    scene: Scene, change: Callable[[Child], None], turnout: Turnout
) -> None:
    busy, idle = scene.worker("mail", 0), scene.worker("mail", 1, phase="idle")
    turnouts = Turnouts()
    assert turnouts.take([busy, idle])["mail"] == Turnout(running=2, busy=1, worked=1)
    for child, done in ((busy, 3), (idle, 4)):
        assert child.record is not None
        child.record.done = done
    change(busy)
    assert turnouts.take([busy, idle])["mail"] == turnout
    assert turnouts.take([busy, idle])["mail"].worked == turnout.busy
    assert ChildState.RUNNING in {busy.state, idle.state}


def test_who_replaces_another_is_not_counted_twice(scene: Scene) -> None:
    old, fresh = scene.worker("mail", 0), scene.worker("mail", 0)
    fresh.replaces = old
    assert Turnouts().take([old, fresh])["mail"].running == 1
