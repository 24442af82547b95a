"""Jobs of which the last one to be done adds another."""

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from qsuper.client.options import Options
from qsuper.errors import ParamError, QsuperError
from qsuper.job import NewJob


class Group:
    """Collects jobs in a `with` block; at its end all are added at once, or none."""

    def __init__(
        self,
        make: Callable[[str, Mapping[str, Any] | None, Options], NewJob],
        write: Callable[[list[NewJob]], list[int]],
    ) -> None:
        self._make = make
        self._write = write
        self._jobs: list[NewJob] = []
        self._open = False
        self.ids: list[int] = []
        """Of its jobs, in the order in which they were added; once the block has ended."""

    def add(
        self, task: str, param: Mapping[str, Any] | None = None, **options: Unpack[Options]
    ) -> None:
        """One more job of the group."""
        if not self._open:
            raise QsuperError("a group takes jobs inside its `with` block only")
        if "name" in options:
            raise ParamError("a job of a group has no name: moving it would take it out")
        self._jobs.append(self._make(task, param, options))

    def __enter__(self) -> "Group":
        self._open = True
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._open = False
        if kind is None:
            self.ids = self._write(self._jobs)
