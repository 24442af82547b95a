"""Moves of many jobs that took longer than one waits for: where each is to go on. Who repeats a
form cannot say it, for the form was written before."""

import time
from dataclasses import replace

from qsuper.states import State
from qsuper.store.position import Position
from qsuper.store.selection import Selection

KEPT_FOR = 600.0
"""Seconds after which one begins anew."""
MOST = 100

Choice = tuple[Selection, tuple[State, ...]]

_left: dict[Choice, tuple[float, Position]] = {}


def keep(selection: Selection, states: tuple[State, ...], position: Position | None) -> None:
    """`position` is None once all was looked at."""
    choice = _choice(selection, states)
    _left.pop(choice, None)
    if position is not None:
        _left[choice] = time.monotonic() + KEPT_FOR, position
        while len(_left) > MOST:
            del _left[next(iter(_left))]


def position_of(selection: Selection, states: tuple[State, ...]) -> Position | None:
    """Where to go on; None where it is to begin."""
    ends, position = _left.get(_choice(selection, states), (0.0, None))
    return position if time.monotonic() < ends else None


def _choice(selection: Selection, states: tuple[State, ...]) -> Choice:
    return replace(selection, state=None), states
