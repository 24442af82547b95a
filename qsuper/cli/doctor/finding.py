"""One thing that was found, and what mends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from qsuper.errors import QsuperError


class Level(IntEnum):
    """How much it matters; the larger, the worse."""

    OK = 0
    NOTE = 1
    """Worth knowing; nobody has to do anything."""
    WARN = 2
    """It works, until something else happens."""
    BAD = 3
    """It does not work, or loses jobs."""

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in one sentence."""

    level: Level
    says: str
    mend: str = ""
    """What to do about it, in one sentence; empty where nothing is to be done, or `says` has it."""


def ok(says: str) -> Finding:
    return Finding(Level.OK, says)


def note(says: str, mend: str = "") -> Finding:
    return Finding(Level.NOTE, says, mend)


def warn(says: str, mend: str = "") -> Finding:
    return Finding(Level.WARN, says, mend)


def bad(says: str, mend: str = "") -> Finding:
    return Finding(Level.BAD, says, mend)


def refused(error: QsuperError) -> list[Finding]:
    """What an error says: each of its lines ends with what to do, mostly behind a semicolon."""
    parts = (line.rpartition("; ") for line in str(error).splitlines())
    return [bad(says, mend) if says else bad(mend) for says, _, mend in parts]


def counted(number: int, noun: str) -> str:
    """`1 note`, `2 notes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
