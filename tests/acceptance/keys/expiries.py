"""What the handlers of watched keys were told, in their own words, and the checkers that judge it.

Nothing here asks the code under test. A handler writes one line, by one `write` to a file opened
for appending. Each generation of a key has a value of its own, so that a job says which it is of.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Life = tuple[str, str | None]
"""A generation of a key: the key's name and the value it then had; None for what is no string."""


class Pen:
    """The writing side, one in each process that runs handlers."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def note(self, task: str, facts: dict[str, Any]) -> None:
        line = json.dumps({"task": task, "started": time.time(), **facts}) + "\n"
        os.write(self._file, line.encode())


@dataclass(frozen=True, slots=True)
class Told:
    """One run of a handler."""

    task: str
    started: float
    """Unix time in seconds."""
    key: str
    value: str | None
    kind: str
    how: str
    db: int
    deadline: float | None

    @property
    def life(self) -> Life:
        return self.key, self.value

    @property
    def late(self) -> float | None:
        """Seconds from the key's deadline to the handler's start."""
        return None if self.deadline is None else self.started - self.deadline


def read(path: Path) -> list[Told]:
    """Every whole line, in the order in which they were written."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[:-1]
    return [Told(**json.loads(line)) for line in lines]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong; all of it empty when nothing is."""

    missing: list[Life]
    """Expired, and no job said so."""
    doubled: list[Life]
    """Expired once, with more jobs than one."""
    unexpected: list[Life]
    """Jobs of what never expired."""

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.missing or self.doubled or self.unexpected)

    def __str__(self) -> str:
        parts = {
            "missing": self.missing,
            "doubled": self.doubled,
            "unexpected": self.unexpected,
        }
        return "; ".join(f"{len(some)} {name}: {some[:5]}" for name, some in parts.items() if some)


def judge(expired: Iterable[Life], told: Iterable[Told]) -> Verdict:
    """Each of these generations is to have one job, and nothing else any."""
    expected, found = Counter(expired), Counter(one.life for one in told)
    surplus = found - expected
    return Verdict(
        missing=list((expected - found).elements()),
        doubled=[life for life in surplus.elements() if life in expected],
        unexpected=[life for life in surplus.elements() if life not in expected],
    )
