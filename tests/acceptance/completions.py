"""The completions that the journal tells of, and the pauses between them."""

from collections.abc import Iterable
from itertools import pairwise

from tests.acceptance.journal import END, Event

_SECOND = 1e9


def longest_gap(events: Iterable[Event], since: int = 0, until: float = float("inf")) -> float:
    """The longest time, in seconds, without a completion; from `since` to `until`, in ns."""
    at = sorted(one.at for one in events if one.kind == END and since <= one.at <= until)
    return max((later - earlier for earlier, later in pairwise(at)), default=0) / _SECOND
