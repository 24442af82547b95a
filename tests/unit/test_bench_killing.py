from bench.killing import best_rate, repeated
from tests.acceptance.journal import Run


def test_a_repeat_is_a_run_to_the_end_beyond_the_first() -> None:
    runs = [
        Run(1, 10, 0, 1, True),
        Run(2, 10, 1, None),  # cut short: that it runs again is no repeat
        Run(2, 11, 2, 3, True),
        Run(1, 11, 3, 4, True),
        Run(1, 12, 5, 6, True),
    ]
    assert repeated(runs) == 2
    assert repeated([]) == 0


def test_the_best_rate_is_that_of_the_fullest_window() -> None:
    half = 500_000_000
    assert best_rate([0, 1, half - 1, half, 5 * half]) == 3 / 0.5
    assert best_rate([]) == 0.0
