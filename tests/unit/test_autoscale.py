"""How many workers: each rule by itself, and loads of every shape in simulated time."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from qsuper.config import Autoscale
from qsuper.master.autoscale.course import Course, Decision, Seen
from qsuper.master.autoscale.deciding import LESSON, STALE, decide
from qsuper.master.autoscale.pressure import Reading
from qsuper.master.autoscale.turnout import Turnout
from tests.unit.backlog_model import Run, Simulation
from tests.unit.load_shapes import SHAPES

BOUNDS = Autoscale(min=1, max=16)
LEAP = 12.0
"""Seconds for which jobs may wait too long after a leap of the load, if workers start at once."""


class Careful:
    """The controller under test; keeps what it said."""

    def __init__(self, bounds: Autoscale = BOUNDS) -> None:
        self._bounds = bounds
        self.course = Course(bounds.min)
        self.said: list[str] = []

    def __call__(self, seen: Seen) -> int:
        decision = decide(self.course, self._bounds, seen)
        if decision.worth_telling:
            self.said.append(decision.why)
        self.course = decision.course
        return decision.workers


class Naive:
    """Doubles and halves as it sees the wait, with no cool-down."""

    def __init__(self) -> None:
        self._workers = 1

    def __call__(self, seen: Seen) -> int:
        if seen.wait > 1.0:
            self._workers = min(16, 2 * self._workers)
        elif seen.wait < 0.5:
            self._workers = max(1, self._workers // 2)
        return self._workers


def reversals(run: Run) -> list[float]:
    """When the direction changed."""
    return [now for (_, before), (now, after) in pairwise(run.steps) if before * after < 0]


def flaps(run: Run, cool_down: float = BOUNDS.cool_down) -> bool:
    """Whether it went there and back more than once within a cool-down, or took workers away less
    than a cool-down after it had added some."""
    turns = reversals(run)
    crowded = any(third - first < cool_down for first, third in zip(turns, turns[2:], strict=False))
    hasty = any(
        later - earlier < cool_down
        for (earlier, up), (later, down) in pairwise(run.steps)
        if up > 0 > down
    )
    return crowded or hasty


def keeps_jobs_waiting(name: str, run: Run) -> bool:
    """Whether jobs waited too long for more than a while after each leap of the load, the time not
    counted in which they would have with all workers there from the start."""
    shape = SHAPES[name]
    assert shape.leaps is not None
    ideal = Simulation(shape, lambda seen: BOUNDS.max, BOUNDS.max).run()
    allowed = shape.leaps * (LEAP + 4 * shape.boot)
    return run.late(BOUNDS.wait) > ideal.late(BOUNDS.wait) + allowed


def is_settled(run: Run, seconds: float) -> bool:
    """Whether the last third knew no more than one change of direction."""
    last = [now for now in reversals(run) if now > seconds * 2 / 3]
    return len(last) <= 1 and sum(now > seconds * 2 / 3 for now, _ in run.steps) <= 2


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_of_load_makes_it_flap(name: str) -> None:
    run = Simulation(SHAPES[name], Careful(), 1).run()
    assert not flaps(run), run.steps
    assert {BOUNDS.min, *run.workers()} <= set(range(BOUNDS.min, BOUNDS.max + 1))


@pytest.mark.parametrize("name", [name for name, one in SHAPES.items() if one.leaps is not None])
def test_the_wanted_wait_is_met_where_capacity_allows(name: str) -> None:
    run = Simulation(SHAPES[name], Careful(), 1).run()
    print(f"{name}: late {run.late(BOUNDS.wait)} of {len(run.moments)} s, {len(run.steps)} steps")
    assert not keeps_jobs_waiting(name, run)


@pytest.mark.parametrize("name", [name for name, one in SHAPES.items() if one.steady])
def test_under_a_steady_load_it_settles(name: str) -> None:
    run = Simulation(SHAPES[name], Careful(), 1).run()
    assert is_settled(run, SHAPES[name].seconds), run.steps


def test_a_controller_without_a_cool_down_is_seen_to_flap_and_never_to_settle() -> None:
    noticed = [
        flaps(run) and not is_settled(run, shape.seconds)
        for name, shape in SHAPES.items()
        if name.startswith("constant")
        for run in [Simulation(shape, Naive(), 1).run()]
    ]
    assert len(noticed) >= 4
    assert all(noticed)


def test_a_controller_that_never_scales_is_seen_to_keep_jobs_waiting() -> None:
    idle = {"no load", "one job an hour", "a limit of two"}
    for name, shape in SHAPES.items():
        if shape.leaps is not None and name not in idle:
            run = Simulation(shape, lambda seen: 1, 1).run()
            assert keeps_jobs_waiting(name, run), name


def test_a_burst_takes_one_worker_to_eight_within_ten_seconds_and_back_after_the_cool_down() -> (
    None
):
    run = Simulation(SHAPES["burst"], Careful(Autoscale(min=1, max=8)), 1).run()
    first_late = next(one.now for one in run.moments if one.wait > BOUNDS.wait)
    eight = next(one.now for one in run.moments if one.wanted == 8)
    last_late = max(one.now for one in run.moments if one.wait > 0)
    one_again = next(one.now for one in run.moments if one.now > eight and one.wanted == 1)
    assert eight - first_late <= 8.0
    assert one_again - last_late <= BOUNDS.cool_down + 2.0
    assert [delta for _, delta in run.steps if delta > 0] == [1, 2, 4]


def test_where_more_workers_do_not_help_it_goes_back_and_says_so() -> None:
    careful = Careful()
    run = Simulation(SHAPES["limited capacity"], careful, 1).run()
    tried = [one for one in run.moments if one.wanted > 8]
    assert len(tried) < len(run.moments) / 4
    assert any(why.startswith("more workers do not help: ") for why in careful.said)


@pytest.mark.parametrize(
    ("name", "workers", "words"),
    [
        ("a limit of two", 3, ""),
        ("nobody gets them", 1, "held back: only 0 of 1 workers find work"),
        ("workers that crash", 2, "held back: 1 of 2 workers do not come up"),
        ("pressure all the time", 1, "held back: cpu pressure 60 % > 40 %"),
        ("more than there is room for", 16, "but max is 16"),
    ],
)
def test_workers_that_would_be_of_no_use_are_not_forked(
    name: str, workers: int, words: str
) -> None:
    careful = Careful()
    run = Simulation(SHAPES[name], careful, 1).run()
    assert max(run.workers()) <= workers
    assert any(words in why for why in careful.said)
    assert len(careful.said) < 20


def test_spikes_of_pressure_delay_workers_and_take_none_away() -> None:
    run = Simulation(SHAPES["spikes of pressure"], Careful(), 1).run()
    pressed = SHAPES["spikes of pressure"].pressure
    assert run.steps
    assert not [now for now, change in run.steps if change > 0 and pressed(now) > 40]


def test_while_nothing_is_counted_nothing_is_changed() -> None:
    run = Simulation(SHAPES["counts that stay away"], Careful(), 1).run()
    assert run.steps
    assert not [now for now, _ in run.steps if 290.0 + STALE < now < 400.0]


def look(now: float = 100.0, **more: Any) -> Seen:
    """A queue whose four workers are busy and whose jobs do not wait."""
    values: dict[str, Any] = {"wait": 0.0, "ready": 0, "turnout": Turnout(4, 0, 4, 4, 100)} | more
    return Seen(now=now, **values)


def decided(course: Course, bounds: Autoscale = BOUNDS, **more: Any) -> Decision:
    return decide(course, bounds, look(**more))


def test_a_step_up_is_as_large_as_the_need_and_no_larger_than_the_backlog() -> None:
    course = Course(4)
    assert decided(course, wait=1.1, ready=50).workers == 5
    assert decided(course, wait=1.8, ready=50).workers == 8
    assert decided(course, wait=60.0, ready=50).workers == 8
    assert decided(course, wait=60.0, ready=2).workers == 6
    decision = decided(course, wait=3.25, ready=10_001)
    assert decision.why == "the oldest of 10,000+ ready jobs waits 3.2s, wanted is 1s"
    assert decision.worth_telling


def test_two_steps_up_are_a_moment_apart_and_wait_for_workers_that_start() -> None:
    course = decided(Course(4), wait=2.0, ready=50).course
    assert decided(course, now=101.0, wait=3.0, ready=50).workers == 8
    starting = Turnout(running=5, busy=5, worked=5, finished=100)
    assert decided(course, now=102.0, wait=4.0, ready=50, turnout=starting).workers == 8
    assert decided(course, now=103.1, wait=5.0, ready=50, turnout=starting).workers == 16
    there = replace(starting, running=8, busy=8, worked=8)
    assert decided(course, now=102.0, wait=4.0, ready=50, turnout=there).workers == 16


def test_a_queue_without_workers_gets_one_as_soon_as_anything_is_ready() -> None:
    none = Autoscale(min=0, max=4)
    nobody = Turnout()
    assert decided(Course(0), none, turnout=nobody).workers == 0
    assert decided(Course(0), none, turnout=nobody, ready=1, wait=0.1).workers == 1


def test_what_somebody_asked_for_holds_until_auto_and_is_within_the_bounds_again_then() -> None:
    asked = decided(Course(4), asked=30)
    assert (asked.workers, asked.worth_telling) == (30, True)
    assert "`qsuper scale QUEUE=auto`" in asked.why
    again = decide(asked.course, BOUNDS, look(101.0, asked=30, wait=100.0, ready=9))
    assert (again.workers, again.worth_telling) == (30, False)
    back = decide(again.course, BOUNDS, look(102.0))
    assert (back.workers, back.why) == (16, "the configuration says 1 to 16")


def test_changed_bounds_hold_at_once() -> None:
    assert decided(Course(4), Autoscale(min=6, max=9)).workers == 6
    assert decided(Course(4), Autoscale(min=1, max=2)).workers == 2


def test_a_node_that_is_full_adds_nobody_for_this_queue() -> None:
    decision = decided(Course(4), wait=9.0, ready=99, room=4)
    assert decision.workers == 4
    assert decision.why.endswith("but the node has no room for more")
    assert decided(Course(4), wait=9.0, ready=99, room=5).workers == 5


@pytest.mark.parametrize(
    "more",
    [
        {"barred": "this node is paused"},
        {"counted_ago": 7.0},
        {"readings": (Reading("memory pressure", 11.0, 0.25),)},
    ],
)
def test_being_held_back_is_told_once_and_again_only_after_a_while(more: dict[str, Any]) -> None:
    course, told = Course(4), []
    for now in range(100, 130):
        decision = decided(course, now=float(now), wait=9.0, ready=99, **more)
        course = decision.course
        told.append(decision.worth_telling)
    assert told == [True] + [False] * 29
    assert decided(course, now=200.0, wait=9.0, ready=99, **more).worth_telling
    assert course.workers == 4


def test_calm_that_nobody_has_seen_does_not_count() -> None:
    idle = Turnout(running=4, finished=100)
    course = decided(Course(4), turnout=idle).course
    course = decided(course, now=120.0, turnout=idle, counted_ago=20.0).course
    assert decided(course, now=131.0, turnout=idle).workers == 4
    course = decided(course, now=131.0, turnout=idle).course
    assert decided(course, now=161.5, turnout=idle).workers == 1


def test_workers_leave_slowly_while_some_are_busy_and_at_once_when_none_was() -> None:
    course, taken = Course(16), []
    for now in range(100, 300):
        few = Turnout(running=course.workers, busy=2 if now % 7 == 0 else 0, finished=now)
        decision = decided(course, now=float(now), turnout=few)
        if decision.workers != course.workers:
            taken.append((now, decision.workers))
        course = decision.course
    assert [workers for _, workers in taken] == [8, 4, 3]
    assert all(later - earlier >= BOUNDS.cool_down for (earlier, _), (later, _) in pairwise(taken))


def test_a_step_down_that_proves_wrong_is_not_repeated_soon() -> None:
    course = Course(4, lowered_at=90.0)
    course = decided(course, wait=1.5, ready=9).course
    assert (course.workers, course.floor) == (6, 5)
    one = Turnout(running=6, busy=1, worked=1, finished=200)
    lasts = int(LESSON * BOUNDS.cool_down)
    fewest = course.workers
    for now in range(101, 100 + lasts):
        course = decided(course, now=float(now), turnout=one).course
        fewest = min(fewest, course.workers)
    assert fewest == 5
    for now in range(100 + lasts, 200 + lasts):
        course = decided(course, now=float(now), turnout=one).course
    assert course.workers < 5


def test_nothing_but_the_bounds_holds_back_the_first_worker() -> None:
    bounds = Autoscale(min=0, max=4)
    seen = Seen(now=100.0, wait=5.0, ready=3, turnout=Turnout(), readings=(Reading("cpu", 99.0),))
    assert decide(Course(0, futile_until=1e9), bounds, seen).workers >= 1
    assert decide(Course(0), bounds, replace(seen, room=0)).workers == 0
    assert decide(Course(1, futile_until=1e9), bounds, seen).workers == 1
