"""What a page says is printed, held against what is: `…` stands for anything."""

import re

ANYTHING = "…"


def matches(expected: str, printed: str) -> bool:
    """Whether all lines are as expected. Within a line `…` is any text, alone on a line any lines;
    blanks are one as good as many. Nothing expected is anything."""
    if not expected.strip():
        return True
    pattern = "".join(_line(line) for line in _lines(expected))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    return [squeezed for line in text.splitlines() if (squeezed := " ".join(line.split()))]


def _line(line: str) -> str:
    if line == ANYTHING:
        return r"(?:.*\n)*"
    return r".*?".join(re.escape(part) for part in line.split(ANYTHING)) + r"\n"
