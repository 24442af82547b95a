"""The tasks that may run here. A row names one of them; it can never name code."""

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qsuper.config import BackoffConfig
from qsuper.errors import ParamError, QsuperError, UnknownTask
from qsuper.job import DEFAULT_QUEUE
from qsuper.tasks.codecs import CODECS, Codec
from qsuper.tasks.hooks import Hooks
from qsuper.tasks.limit import Limit
from qsuper.tasks.program import Program
from qsuper.tasks.schedule import Schedule
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
    backoff: BackoffConfig | None = None
    no_retry: tuple[type[BaseException], ...] = ()
    """Errors after which no further attempt is made."""
    max_age: float | None = None
    """Seconds that a job may wait beyond its time; then it is discarded."""
    transactional: bool = False
    """The handler is given a `connection`; its writes and the job's end commit together."""
    keep_result: bool = False
    """What the handler returns is kept, as JSON."""
    limit: Limit | None = None
    """How many of its jobs may run at once on all nodes."""
    rate: float | None = None
    """How many of its jobs may start in a second on all nodes."""
    program: Program | None = None
    """What is run instead of the handler."""
    hooks: Hooks = field(default_factory=Hooks)
    signature: inspect.Signature = field(init=False)
    """What a param must fit."""
    _names: tuple[str, ...] | None = field(init=False, default=None)
    """Of its arguments, where all can be passed by name and none takes what is left over."""
    _needed: frozenset[str] = field(init=False, default=frozenset())
    """Those without a default."""
    _allowed: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        signature = inspect.signature(self.handler)
        if self.transactional:
            signature = _without_connection(self.name, signature)
        object.__setattr__(self, "signature", signature)
        parameters = signature.parameters.values()
        if all(parameter.kind in _BY_NAME for parameter in parameters):
            needed = (one.name for one in parameters if one.default is inspect.Parameter.empty)
            object.__setattr__(self, "_names", tuple(signature.parameters))
            object.__setattr__(self, "_needed", frozenset(needed))
            object.__setattr__(self, "_allowed", frozenset(signature.parameters))
        by = self.limit.by if self.limit is not None else None
        if by is not None and not self.takes(by):
            raise QsuperError(f"{self.name} has no argument {by!r} to be limited by")

    def takes(self, argument: str) -> bool:
        """Whether it can be called with an argument of this name."""
        parameters = self.signature.parameters
        kinds = [parameter.kind for parameter in parameters.values()]
        return argument in parameters or inspect.Parameter.VAR_KEYWORD in kinds

    def encode(self, *args: Any, **kwargs: Any) -> str | None:
        """The param of a call, checked against the handler's signature; raises `ParamError`."""
        if args:
            return self._written(by_name(self.name, self.bind(args, kwargs)))
        return self.encode_named(kwargs)

    def encode_named(self, arguments: Mapping[str, Any]) -> str | None:
        """The same of a call by names only."""
        if self._names is None or not self._fits(arguments):
            return self._written(by_name(self.name, self.bind((), arguments)))
        names = [name for name in self._names if name in arguments]
        return self._written({name: arguments[name] for name in names})

    def _written(self, arguments: Mapping[str, Any]) -> str | None:
        """As the codec has it; raises `ParamError` when the handler could not take what is read
        again: a query string has no word for None, or for an empty list."""
        text = self.codec.encode(arguments)
        if not self.codec.exact:
            self.check(*self.codec.decode(text))
        return text

    def _fits(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a call by these names would; `bind` says why not, and takes ten times as long."""
        names = arguments.keys()
        return self._names is not None and self._needed <= names <= self._allowed

    def check(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Raise `ParamError` unless this call would fit."""
        if args or not self._fits(kwargs):
            self.bind(args, kwargs)

    def arguments(self, param: Any) -> dict[str, Any]:
        """The arguments in a row's param; none where it does not fit, which a run would say."""
        try:
            args, kwargs = self.codec.decode(param)
            return by_name(self.name, self.bind(args, kwargs))
        except ParamError:
            return {}

    def bind(self, args: Any, kwargs: Any) -> inspect.BoundArguments:
        """Would this call fit? Raises `ParamError` when not."""
        try:
            return self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ParamError(
                f"{self.name}{self.signature} cannot take this param: {error}"
            ) from None


_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _without_connection(task: str, signature: inspect.Signature) -> inspect.Signature:
    parameters = dict(signature.parameters)
    connection = parameters.pop("connection", None)
    if connection is None or connection.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise QsuperError(f"{task} is transactional: give it an argument named `connection`")
    return signature.replace(parameters=list(parameters.values()))


def by_name(task: str, bound: inspect.BoundArguments) -> dict[str, Any]:
    """The arguments of a call as a param is written; raises `ParamError` for one without name."""
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
        self.schedules: list[Schedule] = []
        self.hooks: list[tuple[str | None, Hooks]] = []
        """Of the jobs of one queue, or (None) of all."""
        self.elsewhere: Callable[[str], Task | None] | None = None
        """Where a name is looked up that is not registered."""

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

    def replace(self, task: Task) -> None:
        """Put a task in the place of the one of its name."""
        self._tasks[task.name] = task

    def hooks_of(self, task: Task, queue: str) -> tuple[Hooks, ...]:
        """Those that concern jobs of a task in a queue, the widest first."""
        wide = [hooks for of_queue, hooks in self.hooks if of_queue in (None, queue)]
        return tuple(hooks for hooks in [*wide, task.hooks] if hooks)

    def get(self, name: str) -> Task | None:
        task = self._tasks.get(name)
        return self.elsewhere(name) if task is None and self.elsewhere else task

    def __getitem__(self, name: str) -> Task:
        task = self.get(name)
        if task is None:
            near = difflib.get_close_matches(name, self._tasks, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UnknownTask(f"no task is named {name!r}{hint}")
        return task

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def __len__(self) -> int:
        return len(self._tasks)
