"""What an application declares: its tasks, what starts them, and what is called around them."""

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar, Unpack, overload

from qsuper.client.handles import Adder, TaskHandle
from qsuper.client.options import TaskOptions
from qsuper.config import BackoffConfig, kinds
from qsuper.errors import ParamError
from qsuper.job import NewJob
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.expiry import check_task
from qsuper.tasks.hooks import Around, Hooks, OnFailure
from qsuper.tasks.limit import read_limit, starts
from qsuper.tasks.registry import Registry, Task
from qsuper.tasks.schedule import Misfire, Overlap, Schedule, distinct
from qsuper.tasks.watch import Watch

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")
_Hook = TypeVar("_Hook", Around, OnFailure)


class Declarations(Adder, Protocol):
    """The declaring half of a `Queue`."""

    registry: Registry

    @overload
    def task(self, function: Callable[_Params, _Result], /) -> TaskHandle[_Params, _Result]: ...
    @overload
    def task(
        self, /, **options: Unpack[TaskOptions]
    ) -> Callable[[Callable[_Params, _Result]], TaskHandle[_Params, _Result]]: ...
    def task(
        self,
        function: Callable[_Params, _Result] | None = None,
        /,
        **options: Unpack[TaskOptions],
    ) -> Any:
        """Register a function as a task, under its own name unless told otherwise.

        `options` are those of `TaskOptions`; `[tasks.NAME]` of the configuration goes over them.
        """

        def register(function: Callable[_Params, _Result]) -> TaskHandle[_Params, _Result]:
            task = _task(function, options)
            self.registry.add(task)
            return TaskHandle(self, task, function, {})

        return register if function is None else register(function)

    def watch(
        self, pattern: str, *, db: int | None = None, **options: Unpack[TaskOptions]
    ) -> Callable[
        [Callable[_Params, _Result] | TaskHandle[_Params, _Result]], TaskHandle[_Params, _Result]
    ]:
        """Have a function run when a Redis key that matches `pattern` expires, whoever set it.

        The function names what it wants to be told, out of `key`, `value` (the last one, text),
        `kind`, `how` (`observed` or `presumed`), `db`, `deadline` (Unix time), `key_base64` and
        `value_base64`. It is a task like any other; `options` are those of `task`. `db` is the
        number of the Redis database, without it that of `redis.url`.
        """

        def register(
            function: Callable[_Params, _Result] | TaskHandle[_Params, _Result],
        ) -> TaskHandle[_Params, _Result]:
            handle = (
                function if isinstance(function, TaskHandle) else self.task(**options)(function)
            )
            check_task(handle.task)
            self.registry.watches.append(Watch(pattern, handle.name, db))
            return handle

        return register

    def schedule(
        self,
        cron: str,
        *,
        name: str = "",
        param: Mapping[str, Any] | None = None,
        timezone: str = "UTC",
        jitter: float = 0.0,
        misfire: Misfire = "once",
        grace: float = kinds.GRACE,
        overlap: Overlap = "allow",
    ) -> Callable[
        [Callable[_Params, _Result] | TaskHandle[_Params, _Result]], TaskHandle[_Params, _Result]
    ]:
        """Have a job made of each due time of a cron line; several are allowed for one task.

        `param`: the task's arguments by name. `jitter`: seconds by which a job may run later,
        the same for each due time wherever it is made. `misfire`: what becomes of due times at
        which nobody was there for `grace` seconds: one job for all of them, none, or one for each.
        `overlap="skip"`: no job while the last one still lives. `name`: its own, without it the
        task's, and the cron line where a task has several. Raises `ParamError`.
        """

        def register(
            function: Callable[_Params, _Result] | TaskHandle[_Params, _Result],
        ) -> TaskHandle[_Params, _Result]:
            handle = function if isinstance(function, TaskHandle) else self.task(function)
            schedule = Schedule(
                cron,
                handle.name,
                name=name,
                param=param,
                timezone=timezone,
                jitter=jitter,
                misfire=misfire,
                grace=grace,
                overlap=overlap,
            )
            handle.task.encode(**(param or {}))
            distinct([*self.registry.schedules, schedule])
            self.registry.schedules.append(schedule)
            return handle

        return register

    def before(self, hook: Around, *, queue: str | None = None) -> Around:
        """Have a function called with the `CurrentJob` before each job runs, of one queue or of
        all. What a hook raises is logged; the job goes its way."""
        self.registry.hooks.append((queue, Hooks(before=[hook])))
        return hook

    def after(self, hook: Around, *, queue: str | None = None) -> Around:
        """The same after each job, however it ended."""
        self.registry.hooks.append((queue, Hooks(after=[hook])))
        return hook

    def on_failure(self, hook: OnFailure, *, queue: str | None = None) -> OnFailure:
        """The same after each failed attempt, with the job and the exception. A job whose worker
        was killed has nobody to call it: its attempt says so (`qsuper show`)."""
        self.registry.hooks.append((queue, Hooks(on_failure=[hook])))
        return hook


def _task(function: Callable[..., Any], options: TaskOptions) -> Task:
    given: dict[str, Any] = dict(options)
    name = given.pop("name", None) or function.__name__
    codec = given.pop("codec", "json")
    if codec not in CODECS:
        raise ParamError(f"no codec is named {codec!r}: take one of {', '.join(CODECS)}")
    if (backoff := given.get("backoff")) is not None:
        given["backoff"] = _backoff(name, backoff)
    if isinstance(no_retry := given.get("no_retry", ()), type):
        given["no_retry"] = (no_retry,)
    if (limit := given.get("limit")) is not None:
        given["limit"] = read_limit(name, limit)
    if (rate := given.get("rate")) is not None:
        given["rate"] = starts(name, rate)
    task = Task(name=name, handler=function, codec=CODECS[codec], **given)
    # What a row of it could not hold is a mistake here already.
    NewJob(
        task.name,
        queue=task.queue,
        priority=task.priority,
        max_attempts=task.max_attempts,
        timeout=task.timeout,
        max_age=task.max_age,
    )
    return task


def _backoff(task: str, value: object) -> BackoffConfig:
    match value:
        case BackoffConfig():
            return value
        case (int() | float() as base, int() | float() as cap) if 0 <= base <= cap:
            return BackoffConfig(base=float(base), cap=float(cap))
        case int() | float() as base if base >= 0:
            return BackoffConfig(base=float(base), cap=max(float(base), BackoffConfig().cap))
    raise ParamError(
        f"{task}: backoff is the wait in seconds before the second attempt, or (that, the longest"
        f" wait), not {value!r:.40}"
    )
