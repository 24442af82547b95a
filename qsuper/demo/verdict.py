"""What each act finds in the end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Line:
    """One finding, as it is read."""

    name: str
    number: str
    remark: str = ""
    good: bool | None = None
    """None for what is neither good nor bad."""


class Verdict(Protocol):
    """An act's."""

    @property
    def good(self) -> bool:
        """Whether everything promised was kept."""

    def lines(self) -> Iterator[Line]:
        """In the order in which they are read."""


def none_of(name: str, found: Sequence[object], remark: str = "") -> Line:
    """What there should be none of; `remark` says why there is none."""
    return Line(name, f"{len(found):,}", some(found) or remark, good=not found)


def some(names: Sequence[object], most: int = 3) -> str:
    """The first of them."""
    more = ", ..." if len(names) > most else ""
    return ", ".join(str(name) for name in names[:most]) + more
