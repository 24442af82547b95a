"""A terminal that understands as much as the screen of `status --watch` sends, and no more."""

import re

_SEQUENCE = re.compile(r"\x1b\[(?P<private>\?)?(?P<numbers>[\d;]*)(?P<letter>[A-Za-z])")
_BEGINNING = re.compile(r"\x1b(\[\??[\d;]*)?")


class Screen:
    """What is to be seen after all that it was fed; AssertionError for what it does not know."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.other = False
        """Whether it shows the other screen, which programs draw on."""
        self.cursor = True
        """Whether it shows a cursor."""
        self.overflown = False
        """Whether a line was longer than it is wide."""
        self.colours: set[str] = set()
        """All that was said of colours and the like."""
        self._row, self._column = 0, 0
        self._pending = ""
        self._clear()

    def feed(self, text: str) -> None:
        text, self._pending, at = self._pending + text, "", 0
        while at < len(text):
            if text[at] == "\x1b":
                found = _SEQUENCE.match(text, at)
                if found is None and _BEGINNING.fullmatch(text, at):
                    self._pending = text[at:]
                    return
                assert found, f"an unknown sequence: {text[at : at + 10]!r}"
                self._obey(found["private"] is not None, found["numbers"], found["letter"])
                at = found.end()
                continue
            self._put(text[at])
            at += 1

    def resize(self, width: int, height: int) -> None:
        """It has another size now, and whatever was on it is gone."""
        self.width, self.height = width, height
        self._row = self._column = 0
        self._clear()

    @property
    def lines(self) -> list[str]:
        """What is to be read, without the blanks at the ends of lines."""
        return ["".join(row).rstrip() for row in self._cells]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip("\n")

    def _put(self, letter: str) -> None:
        if letter == "\r":
            self._column = 0
        elif letter == "\n":
            self._row = min(self._row + 1, self.height - 1)
        else:
            assert letter.isprintable(), f"a control character: {letter!r}"
            self.overflown |= self._column >= self.width
            self._cells[self._row][min(self._column, self.width - 1)] = letter
            self._column += 1

    def _obey(self, private: bool, numbers: str, letter: str) -> None:
        if private:
            if numbers == "1049":
                self.other = letter == "h"
            elif numbers == "25":
                self.cursor = letter == "h"
            else:
                raise AssertionError(f"an unknown mode: {numbers}")
        elif letter == "H":
            row, _, column = numbers.partition(";")
            # Whoever was drawing while it grew smaller may still mean a line that is gone.
            self._row = min(int(row or 1), self.height) - 1
            self._column = min(int(column or 1), self.width) - 1
        elif letter == "K":
            self._cells[self._row][self._column :] = " " * (self.width - self._column)
        elif letter == "J":
            self._clear()
        elif letter == "m":
            self.colours.add(numbers)
        else:
            raise AssertionError(f"an unknown sequence: {numbers}{letter}")

    def _clear(self) -> None:
        self._cells = [[" "] * self.width for _ in range(self.height)]
