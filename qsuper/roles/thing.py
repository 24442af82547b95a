"""One thing of a process that a job's code can change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qsuper.errors import QsuperError


class CannotPutBack(QsuperError):
    """This process stays changed."""


@dataclass(frozen=True, slots=True)
class Thing:
    """It is looked at after each job, and put back."""

    name: str
    look: Callable[[], Any]
    """What it is now."""
    put_back: Callable[[Any], object]
    """Makes it what it was; an exception means that it cannot be."""
    adopt: Callable[[Any, Any], Any] | None = None
    """What it shall be from now on when a module that a job has imported may have set it, given
    what it is and what it was. None: no module has a say in it."""
