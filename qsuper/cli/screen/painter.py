"""Brings lines to a terminal, and of each only what has changed: it may be far away."""

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.text import Text

_CLEAR = "\x1b[2J"
_TO_END = "\x1b[K"


class Painter:
    """Knows what the terminal shows. `write` takes what is to be sent, once for each frame."""

    def __init__(self, console: Console, write: Callable[[str], object]) -> None:
        self._console = console
        self._colours = ColorSystem.STANDARD if console.color_system else None
        self._write = write
        self._shown: list[Text] | None = None

    def forget(self) -> None:
        """The next frame is drawn whole: nobody knows what the terminal shows."""
        self._shown = None

    def show(self, lines: Sequence[Text]) -> None:
        """Make the terminal show these, each in one style, from its first line on."""
        sent = [_CLEAR] if self._shown is None else []
        shown = self._shown or []
        for row in range(max(len(lines), len(shown))):
            new = lines[row] if row < len(lines) else Text()
            old = shown[row] if row < len(shown) else Text()
            if (new.plain, new.style) != (old.plain, old.style):
                sent.append(self._difference(row + 1, old, new))
        self._shown = list(lines)
        if sent:
            self._write("".join(sent))

    def _difference(self, row: int, old: Text, new: Text) -> str:
        before, after = old.plain, new.plain
        first, last, clear = 0, len(after), _TO_END
        # Where letters are not one cell wide nobody can count columns: all of the line, then.
        if old.style == new.style and _countable(before) and _countable(after):
            clear = _TO_END if len(before) > len(after) else ""
            most = min(len(before), len(after))
            while first < most and before[first] == after[first]:
                first += 1
            if len(before) == len(after):
                while last > first and before[last - 1] == after[last - 1]:
                    last -= 1
        style = self._console.get_style(new.style or Style.null())
        if self._console.no_color:
            style = style.without_color
        text = style.render(after[first:last], color_system=self._colours)
        return f"\x1b[{row};{first + 1}H{clear}{text}"


def _countable(text: str) -> bool:
    return text.isascii() or all(cell_len(letter) == 1 for letter in text)
