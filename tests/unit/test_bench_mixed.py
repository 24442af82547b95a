import pytest

from bench.modes.mixed import FAST, SLOW, durations, list_schedule


@pytest.mark.parametrize(
    ("seconds", "machines", "ends"),
    [
        ([], 2, 0.0),
        ([3.0], 2, 3.0),
        ([1.0, 1.0, 1.0, 1.0], 4, 1.0),
        ([1.0, 1.0, 1.0, 1.0, 1.0], 4, 2.0),
        ([2.0, 1.0, 1.0, 2.0], 2, 4.0),
        # The long one comes last: a schedule that knew would end at 4.
        ([2.0, 2.0, 4.0], 2, 6.0),
        ([4.0, 2.0, 2.0], 2, 4.0),
        ([1.0, 2.0, 3.0], 1, 6.0),
    ],
)
def test_each_job_goes_to_the_machine_that_is_free_first(
    seconds: list[float], machines: int, ends: float
) -> None:
    assert list_schedule(seconds, machines) == ends


def test_a_schedule_is_never_shorter_than_its_work_allows() -> None:
    seconds = durations(7, 1_000)
    assert list_schedule(seconds, 4) >= sum(seconds) / 4


def test_four_in_a_hundred_are_slow_in_an_order_of_the_seed() -> None:
    seconds = durations(1, 1_000)
    assert (seconds.count(SLOW), seconds.count(FAST)) == (40, 960)
    assert durations(1, 1_000) == seconds
    assert durations(2, 1_000) != seconds
