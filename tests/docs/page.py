"""A page of the documentation, cut into its blocks of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[^`]*)\Z")
_NOT_RUN = re.compile(r"\s*<!-- not-run: (?P<reason>.+?) -->\s*\Z")
_NAMED = re.compile(r"(?:#|//|;|--)\s*(?P<name>[\w./@-]+\.\w+)\s*(?:—.*)?\Z")
# What a reader types, in a block that says of no line that it is typed.
_COMMAND = re.compile(
    r"(?:\$ |scripts/|\.venv|/srv/|(?:cd|cp|curl|docker|export|git|mariadb|mkdir|mysql|php|pip|"
    r"pytest|python3?|qsuper|redis-cli|sqlite3|sudo|supervisorctl|supervisord|systemctl)(?: |$))"
)
_CODE = re.compile(r"@queue\.|from qsuper |import |\[+[\w.]+\]+\Z|SELECT |INSERT |UPDATE |\$\w+->")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block, and where it stands."""

    page: str
    line: int
    """Of its first line of code, counted from 1."""
    language: str
    text: str
    not_run: str | None = None
    """Why it is not run, where the page says that it is not."""

    @property
    def file(self) -> str | None:
        """The file it is, where its first line says so: `# shop.py`."""
        lines = [line for line in self.text.splitlines() if line.strip() != "<?php"]
        found = _NAMED.match(lines[0].strip()) if lines else None
        return found["name"] if found else None

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page; ValueError where one has no end."""
    lines = text.splitlines()
    before: str | None = None
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is None:
            found = _NOT_RUN.match(lines[number])
            if lines[number].strip():
                before = found["reason"] if found else None
            number += 1
            continue
        end = _end(lines, number, fence["fence"])
        if end is None:
            raise ValueError(f"{page}:{number + 1}: a block without an end")
        inner = [line.removeprefix(fence["indent"]) for line in lines[number + 1 : end]]
        words = fence["language"].split()
        language = words[0] if words else ""
        yield Block(page, number + 2, language, "\n".join(inner) + "\n", before)
        before, number = None, end + 1


def _end(lines: list[str], start: int, fence: str) -> int | None:
    return next((at for at in range(start + 1, len(lines)) if lines[at].strip() == fence), None)


def hidden(page: str, text: str) -> list[str]:
    """Indented blocks that hold a command or code: they would be read as such, and never run.
    A drawing (─) may name programs."""
    found = []
    lines = text.splitlines()
    fence = None
    for number, line in enumerate(lines, 1):
        if fence is not None:
            fence = None if line.strip() == fence else fence
        elif match := _FENCE.match(line):
            fence = match["fence"]
        elif line.startswith("    ") and number > 1 and not lines[number - 2].strip():
            inner = line.strip()
            if "─" not in inner and (_COMMAND.match(inner) or _CODE.match(inner)):
                found.append(f"{page}:{number}: {inner}")
    return found


def pages(top: Path) -> list[str]:
    """Every page that a reader may open, README first."""
    docs = sorted(path.relative_to(top) for path in (top / "docs").rglob("*.md"))
    return ["README.md", *(str(path) for path in docs)]
