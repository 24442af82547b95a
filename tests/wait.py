"""Waiting for something to become true, instead of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

LOOK_EVERY = 0.02


def wait_for(
    condition: Callable[[], Result], timeout: float = 30.0, message: str | None = None
) -> Result:
    """Call `condition` until it answers something true, and return that.

    `timeout` is in seconds and is a bound for a broken run, not a measurement: be generous.
    Raises AssertionError with `message` when it is over; what `condition` raises goes through.
    """
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {message or repr(condition)}")
        time.sleep(LOOK_EVERY)
    return result
