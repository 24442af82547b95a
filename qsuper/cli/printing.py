"""Output for people and for machines."""

import json
import shutil
from collections.abc import Sequence
from typing import Any


def to_json(value: Any) -> str:
    """One JSON text, in ASCII: right on every terminal and for every reader."""
    return json.dumps(value, indent=2, default=str)


def columns(head: Sequence[str], rows: Sequence[Sequence[object]], *, width: int) -> list[str]:
    """Lines of aligned columns; numbers to the right, the last column cut to `width`.

    A heading that begins with `>` is that of numbers. None is printed as `-`.
    """
    texts = [[printable(cell) for cell in row] for row in rows]
    right = [title.startswith(">") for title in head]
    table = [[title.removeprefix(">") for title in head], *texts]
    widths = [max(len(row[place]) for row in table) for place in range(len(head))]
    lines = []
    for row in table:
        cells = [
            cell.rjust(size) if to_right else cell.ljust(size)
            for cell, size, to_right in zip(row, widths, right, strict=True)
        ]
        lines.append(cut("  ".join(cells).rstrip(), width))
    return lines


def printable(value: object) -> str:
    """A value on one line and without the control bytes a stranger may have put into it."""
    if value is None or value == "":
        return "-"
    text = str(value)
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else repr(letter)[1:-1]


def cut(text: str, width: int) -> str:
    """The text in at most `width` letters, with an ellipsis where it went on."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def terminal_width() -> int:
    """Columns there are; 80 where nobody says."""
    return shutil.get_terminal_size((80, 24)).columns
