import pytest

from bench.effort import QUICK, WHOLE, Effort
from bench.figures import Result, Series
from bench.modes.growth import claims


def test_the_whole_effort_fills_every_size() -> None:
    assert claims.sizes(WHOLE) == list(claims.READY)


@pytest.mark.parametrize(
    ("effort", "sizes"),
    [
        (QUICK, [10_000, 100_000]),
        (Effort(share=0.0), [10_000]),
        (Effort(share=0.1), [10**4, 10**5, 10**6]),
    ],
)
def test_less_effort_leaves_the_largest_out_and_keeps_the_least(
    effort: Effort, sizes: list[int]
) -> None:
    assert claims.sizes(effort) == sizes


def measured(*, largest: float = 1.0, finished: float = 1.0, slices: float = 1.0) -> Result:
    """A result in which every claim takes 1 ms, but for those."""
    times = {claims.by_slices(count): 1.0 for count in claims.MANY_SLICES}
    times[claims.by_slices(256)] = slices
    for count in claims.CLAIMS:
        times |= {claims.by_ready(count, rows): 1.0 for rows in claims.READY}
        times[claims.by_ready(count, claims.READY[-1])] = largest
        times[claims.by_finished(count, claims.FINISHED)] = finished
    return Result("growth", [Series(name, "ms", [time, time]) for name, time in times.items()])


def missed(result: Result) -> set[str]:
    ratios = claims.targets(result, list(claims.READY), claims.FINISHED, claims.SLICED)
    return {one.what for one in ratios if not one.met}


def test_claims_that_take_the_same_everywhere_meet_every_target() -> None:
    assert missed(measured()) == set()


def test_each_target_is_missed_by_what_it_is_about() -> None:
    assert missed(measured(largest=1.6)) == {
        "claim of one, 10000000 ready by 10000",
        "claim of 50, 10000000 ready by 10000",
    }
    assert missed(measured(finished=1.6)) == {
        "claim of one, 1000000 finished beside 10000 ready by none",
        "claim of 50, 1000000 finished beside 10000 ready by none",
    }
    assert missed(measured(slices=2.1)) == {"claim of one, 256 slices by 4, 1000000 ready"}
