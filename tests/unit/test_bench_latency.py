"""What the latency mode makes of its rounds."""

from bench.contenders import QSUPER_WAKE
from bench.figures import Result, Series
from bench.modes.latency import BARE_PATH, FOREIGN, targets


def result(woken: list[float], bare: list[float], foreign: list[float]) -> Result:
    """The same figures for p50 and p99."""
    return Result(
        "latency",
        [
            Series(f"{contender.name}, {part}", "ms", values)
            for contender, values in (
                (QSUPER_WAKE, woken),
                (BARE_PATH, bare),
                (FOREIGN, foreign),
            )
            for part in ("p50", "p99")
        ],
    )


def test_the_bare_path_is_compared_within_each_round() -> None:
    middle, tail, _ = targets(result([2.0, 40.0, 3.0], [2.0, 40.0, 1.0], [30.0] * 3))
    assert (middle.value, middle.low, middle.high) == (1.0, 1.0, 3.0)
    assert middle.met
    assert tail.met


def test_a_way_that_takes_longer_than_the_target_is_missed() -> None:
    found = targets(result([2.7] * 3, [2.0] * 3, [38.0] * 3))
    assert [one.met for one in found] == [False] * 3
