"""How many jobs ran at once, told by their journal."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from tests.acceptance.journal import Death, Event, Run, ends_of, runs_of

_SECOND = 1e9


def most_at_once(events: Iterable[Event], deaths: Iterable[Death] = ()) -> int:
    """The most runs that were under way at one moment."""
    return max((count for _, count, _ in _counts(ends_of(events, deaths))), default=0)


def longest_below(
    most: int, jobs: int, events: Iterable[Event], deaths: Iterable[Death] = ()
) -> float:
    """The longest time, in seconds, in which fewer than `most` ran while as many had yet to be
    done; from the first begin on."""
    longest = 0.0
    since: int | None = None
    for at, count, done in _counts(ends_of(events, deaths)):
        if since is not None:
            longest = max(longest, (at - since) / _SECOND)
        if count >= most or jobs - done < most:
            since = None
        elif since is None:
            since = at
    return longest


def most_starts_within(seconds: float, events: Iterable[Event]) -> int:
    """The most runs that began within any such time."""
    began = sorted(run.began for run in runs_of(events))
    return max(
        (sum(at <= other <= at + seconds * _SECOND for other in began) for at in began), default=0
    )


def starts_a_second(events: Iterable[Event]) -> float:
    """From the first begin to the last, in the mean."""
    began = sorted(run.began for run in runs_of(events))
    gaps = [(later - earlier) / _SECOND for earlier, later in pairwise(began)]
    return len(gaps) / sum(gaps)


def _counts(ends: list[tuple[Run, int]]) -> Iterator[tuple[int, int, int]]:
    """After each change: the moment, how many run, how many jobs are done."""
    # At one moment the one that ends makes room for the one that begins.
    changes = sorted(
        [(end, 0, run.number if run.succeeded else None) for run, end in ends]
        + [(run.began, 1, None) for run, _ in ends],
        key=lambda change: change[:2],
    )
    running = 0
    done: set[int] = set()
    for at, begins, number in changes:
        running += 1 if begins else -1
        done |= {number} if number is not None else set()
        yield at, running, len(done)
