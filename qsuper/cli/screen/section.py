"""A part of the screen that may be longer than its room."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a heading."""

    head: Sequence[Text]
    rows: Sequence[Text]
    least: int = 0
    """Rows that are shown however low the terminal is, if they are there."""
    ranks: Sequence[float] = ()
    """Where not all rows fit, those with the smallest come first; without it they stay in order."""
    rest: Callable[[Sequence[int]], str] = lambda hidden: f"and {len(hidden)} more"
    """What is said in place of the rows of these numbers."""

    def lines(self, room: int) -> list[Text]:
        """The heading, and what fits in so many lines below it."""
        if len(self.rows) <= room:
            return [*self.head, *self.rows]
        if not room:
            return list(self.head)
        order = sorted(range(len(self.rows)), key=lambda n: self.ranks[n] if self.ranks else n)
        shown, hidden = order[: room - 1], order[room - 1 :]
        rows = [self.rows[number] for number in shown]
        return [*self.head, *rows, Text(self.rest(hidden), style="dim")]


def fit(sections: Sequence[Section], height: int) -> list[Text]:
    """All of them in that many lines; what is left over is given out in turn."""
    sections = [section for section in sections if section.head or section.rows]
    rooms = [min(section.least, len(section.rows)) for section in sections]
    left = height - sum(len(section.head) for section in sections) - sum(rooms)
    # On a low terminal the first sections are set apart, as far as that goes.
    blanks = max(0, min(left, len(sections) - 1))
    left -= blanks
    while left > 0:
        given = 0
        for number, section in enumerate(sections):
            if rooms[number] < len(section.rows) and given < left:
                rooms[number] += 1
                given += 1
        if not given:
            break
        left -= given
    lines: list[Text] = []
    for number, (section, room) in enumerate(zip(sections, rooms, strict=True)):
        lines += ([Text()] if 0 < number <= blanks else []) + section.lines(room)
    return lines[:height]
