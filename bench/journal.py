"""What the jobs themselves have written, and whether it is what was enqueued."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

RECORD = 16
"""Bytes: fifteen digits and a line's end."""


@dataclass(frozen=True, slots=True)
class Count:
    """How often the enqueued numbers were seen."""

    lost: int
    repeated: int
    """Runs beyond the first of each."""
    unknown: int
    """Records of numbers that nobody enqueued."""

    @property
    def exact(self) -> bool:
        return not (self.lost or self.repeated or self.unknown)


class Journal:
    """One file, to which every job of a run appends one record."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def records(self) -> int:
        """How many were written so far."""
        return self.file.stat().st_size // RECORD if self.file.exists() else 0

    def numbers(self) -> list[int]:
        """All records in the order in which they were written; ValueError for a torn one."""
        text = self.file.read_bytes() if self.file.exists() else b""
        if len(text) % RECORD:
            raise ValueError(f"{self.file} ends within a record")
        return [int(line) for line in text.splitlines()]

    def count(self, enqueued: range) -> Count:
        """Hold what was written against what was enqueued."""
        seen = Counter(self.numbers())
        known = [seen.pop(number, 0) for number in enqueued]
        return Count(
            lost=known.count(0),
            repeated=sum(times - 1 for times in known if times > 1),
            unknown=sum(seen.values()),
        )

    def empty(self) -> None:
        self.file.write_bytes(b"")
