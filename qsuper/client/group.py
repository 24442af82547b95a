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
        encode: Callable[[str, Mapping[str, Any] | None], str | None],
        make: Callable[[str, str | None, Options], NewJob],
        write: Callable[[list[NewJob]], list[int]],
    ) -> None:
        self._encode = encode
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
        self.add_raw(task, self._encode(task, param), **options)

    def add_raw(self, task: str, param: str | None, **options: Unpack[Options]) -> None:
        """The same with the param as the column is to hold it."""
        if not self._open:
            raise QsuperError("a group takes jobs inside its `with` block only")
        if {"name", "on_conflict"} & options.keys():
            raise ParamError("a job of a group has no name: moving it would take it out")
        self._jobs.append(self._make(task, param, options))

    def __enter__(self) -> "Group":
        self._open = True
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._open = False
        if kind is None:
            self.ids = self._write(self._jobs)
