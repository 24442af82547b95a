import subprocess
import sys
from pathlib import Path

from qsuper.states import FINISHED, LIVE, MEANING, MOVES, State, as_markdown

ROOT = Path(__file__).parents[2]


def test_the_document_is_what_the_states_print() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "qsuper.states"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed == as_markdown()
    assert (ROOT / "docs" / "states.md").read_text() == printed, (
        "run: python -m qsuper.states > docs/states.md"
    )


def test_the_numbers_that_others_rely_on_stay() -> None:
    assert {state.word: state.value for state in State} == {
        "ready": 0,
        "done": 1,
        "running": 2,
        "dead": 3,
        "scheduled": 4,
        "cancelled": 5,
        "held": 6,
    }


def test_every_state_has_a_meaning_and_either_lives_or_is_finished() -> None:
    assert set(MEANING) == set(State)
    assert sorted(LIVE + FINISHED) == sorted(State)


def test_every_state_can_be_left_and_reached() -> None:
    assert {move.source for move in MOVES} == set(State)
    assert {move.target for move in MOVES} == set(State)


def test_a_running_job_comes_from_a_ready_one_only() -> None:
    assert {move.source for move in MOVES if move.target == State.RUNNING} == {State.READY}


def test_no_verb_makes_the_same_move_twice() -> None:
    moves = [(move.verb, move.source, move.target) for move in MOVES]
    assert len(set(moves)) == len(moves)
