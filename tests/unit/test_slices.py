import pytest

from qsuper.errors import QsuperError
from qsuper.slices import (
    WHOLE,
    WINDOW_LEAST,
    WINDOW_MOST,
    Slice,
    help_size,
    parse_slice,
    window_size,
)


@pytest.mark.parametrize("text", ["0/1", "3/10", "9/10", "9999/10000"])
def test_a_slice_is_read_as_it_is_written(text: str) -> None:
    assert str(parse_slice(text)) == text


@pytest.mark.parametrize(
    "text", ["", "3", "/", "3/", "/10", "10/10", "-1/10", "3/0", "1.0/2", "a/b", "0/10001", "1/2/3"]
)
def test_what_is_no_slice_is_refused_with_the_mend(text: str) -> None:
    with pytest.raises(QsuperError, match="is not a slice: write i/N with i from 0 to N-1"):
        parse_slice(text)


def test_the_whole_is_the_only_slice_of_one() -> None:
    assert Slice(0, 1) == WHOLE
    assert parse_slice("0/1") == WHOLE


def test_the_window_is_bounded_both_ways_and_never_shrinks() -> None:
    assert window_size(1, 1) == WINDOW_LEAST
    assert window_size(32, 1) == 4 * 32
    assert window_size(4, 50) == 4 * 4 * 50
    assert window_size(10_000, 512) == WINDOW_MOST
    sizes = [window_size(slices, 8) for slices in range(1, 400)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("batch", [1, 4, 5, 512])
def test_a_helper_picks_among_more_rows_than_it_takes(batch: int) -> None:
    assert help_size(batch) >= max(16, 4 * batch)
