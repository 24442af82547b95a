"""The slice of a worker, and how many rows a claim may look at.

A slice is a hint, never a guard: it keeps workers from racing for the same rows.
"""

from dataclasses import dataclass

from qsuper.errors import QsuperError

WINDOW_LEAST = 64
WINDOW_MOST = 4000


@dataclass(frozen=True, slots=True)
class Slice:
    """`(index, count)`: the rows with `id % count == index`; with a `width`, and with those that
    follow: the slices of so many workers in one."""

    index: int
    count: int
    width: int = 1

    @property
    def last(self) -> int:
        """The last index that is in it."""
        return self.index + self.width - 1

    def has(self, row_id: int) -> bool:
        """Whether the row is of this slice."""
        return self.index <= row_id % self.count <= self.last

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


WHOLE = Slice(0, 1)


def parse_slice(text: str) -> Slice:
    """Read `3/10`: the fourth of ten slices, counted from 0."""
    index, slash, count = text.partition("/")
    if slash and index.isdecimal() and count.isdecimal() and int(index) < int(count) <= 10_000:
        return Slice(int(index), int(count))
    raise QsuperError(f"{text!r} is not a slice: write i/N with i from 0 to N-1, for example 3/10")


def window_size(slices: float, batch: int) -> int:
    """Rows of the ready index one claim may read.

    Four times what all slices together want, so that a fair share of them is ours, and bounded
    both ways: an empty slice of a million ready rows must cost no more than a full one.
    """
    return min(WINDOW_MOST, max(WINDOW_LEAST, int(4 * slices * batch)))


def help_size(batch: int) -> int:
    """First rows among which a helper picks at random, so that helpers do not collide."""
    return max(16, 4 * batch)
