"""The tasks that may run here. A row names one of them; it can never name code."""

import difflib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from qsuper.errors import ParamError, QsuperError, UnknownTask
from qsuper.job import DEFAULT_QUEUE
from qsuper.tasks.codecs import CODECS, Codec
from qsuper.tasks.watch import Watch


@dataclass(frozen=True, slots=True)
class Task:
    """A named piece of code and how it is to be run. None means: as `[job]` says."""

    name: str
    handler: Callable[..., Any]
    queue: str = DEFAULT_QUEUE
    timeout: float | None = None
    max_attempts: int | None = None
    priority: int = 0
    codec: Codec = CODECS["json"]
    signature: inspect.Signature = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signature", inspect.signature(self.handler))

    def encode(self, *args: Any, **kwargs: Any) -> str | None:
        """The param of a call, checked against the handler's signature; raises `ParamError`."""
        bound = self.bind(args, kwargs)
        return self.codec.encode(_by_name(self.name, bound))

    def bind(self, args: Any, kwargs: Any) -> inspect.BoundArguments:
        """Would this call fit? Raises `ParamError` when not."""
        try:
            return self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ParamError(
                f"{self.name}{self.signature} cannot take this param: {error}"
            ) from None


def _by_name(task: str, bound: inspect.BoundArguments) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            arguments.update(value)
        elif kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            raise ParamError(
                f"{task}: pass {name!r} by name; a param is written as named arguments"
            )
        else:
            arguments[name] = value
    return arguments


class Registry:
    """Tasks by name, and what else becomes a job of one."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self.watches: list[Watch] = []

    def add(self, task: Task) -> None:
        """Register; a second task of the same name is a mistake of the application."""
        if inspect.isgeneratorfunction(task.handler) or inspect.isasyncgenfunction(task.handler):
            raise QsuperError(
                f"the task {task.name!r} is a generator: calling it would run none of its code"
            )
        known = self._tasks.get(task.name)
        if known is not None and known.handler is not task.handler:
            raise QsuperError(f"two tasks are named {task.name!r}: give one of them name=...")
        self._tasks[task.name] = task

    def get(self, name: str) -> Task | None:
        return self._tasks.get(name)

    def __getitem__(self, name: str) -> Task:
        try:
            return self._tasks[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._tasks, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UnknownTask(f"no task is named {name!r}{hint}") from None

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def __len__(self) -> int:
        return len(self._tasks)
