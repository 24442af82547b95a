"""Timers fire once, whatever races them and however many there are."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from qsuper import Queue
from qsuper.states import State
from tests.acceptance import journal, races
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows

RACES = 500
CONTROL_RACES = 120
AGAIN = 20
CROWD = 100_000

GAMES = {
    "cancel": (races.cancel, races.wrong_cancels),
    "move": (races.move, races.wrong_moves),
}


@pytest.fixture
def queue(rows: Rows) -> Iterator[Queue]:
    """An application's own."""
    queue = Queue(rows.url)
    yield queue
    queue.close()


@pytest.mark.parametrize("game", GAMES)
def test_a_timer_that_is_taken_back_or_moved_as_it_fires_has_one_outcome(
    game: str, daemon: Daemon, rows: Rows, queue: Queue, figures: Figures
) -> None:
    run, wrong = GAMES[game]
    daemon.write_config(log={"level": "warning"})
    daemon.start()
    held = races.race(queue, RACES, run)
    wait_until_over(daemon, rows)
    won = sum(race.won for race in held)
    found = wrong(held, daemon.runs())
    figures(races=RACES, won=won, lost=RACES - won, wrong=len(found))
    assert not found
    assert not journal.overlapping(daemon.events())
    assert 0 < won < RACES, "no race was close"


@pytest.mark.parametrize("game", GAMES)
def test_a_claim_without_its_guard_is_noticed(
    game: str, daemon: Daemon, rows: Rows, queue: Queue, figures: Figures
) -> None:
    """One worker: only the racers are there to be in its way."""
    run, wrong = GAMES[game]
    daemon.write_config(
        app="tests.acceptance.unguarded_app:queue", queues={"default": {"workers": 1}}
    )
    daemon.start()
    held = races.race(queue, CONTROL_RACES, run)
    wait_until_over(daemon, rows)
    found = wrong(held, daemon.runs())
    figures(races=CONTROL_RACES, won=sum(race.won for race in held), wrong=len(found))
    assert found


def test_a_job_sets_its_own_timer_anew_time_after_time(
    daemon: Daemon, rows: Rows, queue: Queue
) -> None:
    daemon.write_config(app="tests.acceptance.timers_app:queue")
    daemon.start()
    queue.timer("again", 0.02, "again", {"n": 1, "last": AGAIN})
    daemon.wait_until(lambda: rows.count(State.DONE) == AGAIN, "it has run to the last")
    assert [run.number for run in daemon.runs()] == list(range(1, AGAIN + 1))
    assert rows.count() == AGAIN
    assert queue.remaining("again") is None


def test_a_hundred_thousand_that_fall_due_at_once_are_ready_and_run_once(
    daemon: Daemon, rows: Rows, queue: Queue, figures: Figures
) -> None:
    daemon.write_config(log={"level": "warning"})
    daemon.start()
    assert daemon.cli("pause", "default").returncode == 0
    numbers = range(1, CROWD + 1)
    due = time.time() + 10.0
    queue.add_many("urgent", ({"n": n} for n in numbers), at=due)
    written = time.time()
    daemon.wait_until(lambda: rows.count(State.READY) == CROWD, "all are ready")
    figures(timers=CROWD, ready_after_s=time.time() - max(due, written))
    promoted = Counter(move.number for move in rows.moves())
    assert set(promoted.values()) == {1}
    assert daemon.cli("resume", "default").returncode == 0
    daemon.wait_until(lambda: rows.count(State.DONE) == CROWD, "all have run", 300)
    figures(run_after_s=time.time() - max(due, written))
    assert Counter(run.number for run in daemon.runs()) == Counter(numbers)


def wait_until_over(daemon: Daemon, rows: Rows) -> None:
    live = (State.READY, State.SCHEDULED, State.RUNNING)
    daemon.wait_until(lambda: not rows.count(*live), "every race is over")
