"""Functions that an application has called around its jobs, as an error tracker needs them.

They run in the worker, in the job's own time. What a hook raises is logged, and changes nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from qsuper.tasks.current import CurrentJob
from qsuper.tasks.ending import Ended

log = logging.getLogger("qsuper.hooks")

Around = Callable[[CurrentJob], Any]
OnFailure = Callable[[CurrentJob, BaseException], Any]


@dataclass(frozen=True, slots=True)
class Hooks:
    """Those of one task, or those of all."""

    before: list[Around] = field(default_factory=list)
    after: list[Around] = field(default_factory=list)
    """Called however the job ended."""
    on_failure: list[OnFailure] = field(default_factory=list)
    """Called with what the code raised, before `after`."""

    def __bool__(self) -> bool:
        return bool(self.before or self.after or self.on_failure)


def call(functions: list[Callable[..., Any]], *arguments: object) -> None:
    """One after the other."""
    for function in functions:
        try:
            function(*arguments)
        except Ended:
            raise
        except BaseException:
            log.exception("the hook %r failed", getattr(function, "__qualname__", function))
