"""The one object an application holds: it declares tasks and enqueues jobs."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, ParamSpec, TypeVar, Unpack, cast, overload

from qsuper.client.handles import JobHandle, TaskHandle
from qsuper.client.options import Options, RunOptions
from qsuper.config import Config, load
from qsuper.errors import ParamError
from qsuper.job import DEFAULT_QUEUE, NewJob
from qsuper.states import State
from qsuper.store import cancelling, enqueueing
from qsuper.store.borrowing import borrow
from qsuper.store.database import Connection, Database
from qsuper.store.enqueueing import Writer
from qsuper.store.schema import ensure
from qsuper.store.threads import Threads
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.registry import Registry, Task

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")


class Queue:
    """The jobs of one database.

    `url` names it; without it the configuration does (`qsuper.toml`, `QSUPER_*`), and without any:
    SQLite under ./var. Opens nothing until it is used; threads and forks may share it.
    """

    def __init__(self, url: str | None = None, *, config: Config | None = None) -> None:
        self.registry = Registry()
        self._url = url
        self._given = config

    @cached_property
    def config(self) -> Config:
        overrides = {"store.url": self._url} if self._url else None
        return self._given or load(environ=os.environ, overrides=overrides)

    @cached_property
    def database(self) -> Database:
        store = self.config.store
        database = Database(
            store.url, connect_timeout=store.connect_timeout, read_timeout=store.read_timeout
        )
        ensure(database)
        return database

    @cached_property
    def _threads(self) -> Threads:
        return Threads(self.database)

    @overload
    def task(self, function: Callable[_Params, _Result], /) -> TaskHandle[_Params, _Result]: ...
    @overload
    def task(
        self,
        /,
        *,
        name: str | None = None,
        queue: str = DEFAULT_QUEUE,
        timeout: float | None = None,
        max_attempts: int | None = None,
        priority: int = 0,
        codec: str = "json",
    ) -> Callable[[Callable[_Params, _Result]], TaskHandle[_Params, _Result]]: ...
    def task(
        self,
        function: Callable[_Params, _Result] | None = None,
        /,
        *,
        name: str | None = None,
        queue: str = DEFAULT_QUEUE,
        timeout: float | None = None,
        max_attempts: int | None = None,
        priority: int = 0,
        codec: str = "json",
    ) -> Any:
        """Register a function as a task, under its own name unless told otherwise."""
        if codec not in CODECS:
            raise ParamError(f"no codec is named {codec!r}: take one of {', '.join(CODECS)}")

        def register(function: Callable[_Params, _Result]) -> TaskHandle[_Params, _Result]:
            task = Task(
                name=name or function.__name__,
                handler=function,
                queue=queue,
                timeout=timeout,
                max_attempts=max_attempts,
                priority=priority,
                codec=CODECS[codec],
            )
            NewJob(task.name, None, queue, None, priority, None, None, max_attempts, timeout)
            self.registry.add(task)
            return TaskHandle(self, task, function, {})

        return register if function is None else register(function)

    def add(
        self,
        task: str,
        param: Mapping[str, Any] | None = None,
        *,
        connection: Any = None,
        **options: Unpack[Options],
    ) -> JobHandle:
        """Enqueue a job of the named task; `connection` is a caller's own, inside its transaction.

        A task registered here is checked against its signature; one that is registered in another
        program is not.
        """
        return self.add_raw(task, self._encode(task, param), connection=connection, **options)

    def add_raw(
        self,
        task: str,
        param: str | None,
        *,
        connection: Any = None,
        **options: Unpack[Options],
    ) -> JobHandle:
        """Enqueue with the param as the column is to hold it; raises `ParamError`."""
        self._check(task, param)
        job = self._new_job(task, param, options)
        if job.name is not None:
            return JobHandle(self, self.within(lambda own: enqueueing.keep(own, job), connection))
        if connection is not None:
            return JobHandle(self, enqueueing.insert(borrow(connection), job))
        return JobHandle(self, self._threads.do(lambda own: enqueueing.insert(own, job)))

    def add_many(
        self,
        task: str,
        params: Iterable[Mapping[str, Any] | None],
        *,
        connection: Any = None,
        **options: Unpack[Options],
    ) -> int:
        """Enqueue one job for each of `params`, all or none; returns how many."""
        if "name" in options:
            raise ParamError("many jobs cannot have one name")
        jobs = [self._new_job(task, self._encode(task, param), options) for param in params]
        return self.within(lambda writer: enqueueing.insert_many(writer, jobs), connection)

    def timer(
        self,
        name: str,
        delay: float,
        task: str,
        param: Mapping[str, Any] | None = None,
        *,
        connection: Any = None,
        **options: Unpack[RunOptions],
    ) -> JobHandle:
        """Set the timer `name` to `delay` seconds from now, or move it there if it waits."""
        full = cast(Options, {**options, "name": name, "delay": delay})
        job = self._new_job(task, self._encode(task, param), full)
        return JobHandle(self, self.within(lambda writer: enqueueing.move(writer, job), connection))

    def cancel(self, name: str, *, connection: Any = None) -> bool:
        """Take the waiting job of this name back; False when none waits, or it runs already."""

        def work(writer: Writer) -> bool:
            job_id = cancelling.live_id(writer, name)
            return job_id is not None and cancelling.cancel(writer, job_id) is State.CANCELLED

        return self.within(work, connection)

    def job(self, job_id: int) -> JobHandle:
        """The handle of a job enqueued earlier."""
        return JobHandle(self, job_id)

    def close(self) -> None:
        """Give up this thread's connection; the next use makes a new one."""
        self._threads.close()

    def within(self, work: Callable[[Writer], _Result], connection: Any = None) -> _Result:
        """Run `work` in the caller's transaction, or in one of its own."""
        if connection is not None:
            return work(borrow(connection))

        def alone(own: Connection) -> _Result:
            with own.transaction():
                return work(own)

        return self._threads.do(alone)

    def _encode(self, task: str, param: Mapping[str, Any] | None) -> str | None:
        if param is not None and not isinstance(param, Mapping):
            raise ParamError(f"param is a mapping of named arguments, not {type(param).__name__}")
        arguments = dict(param or {})
        known = self.registry.get(task)
        return known.encode(**arguments) if known else CODECS["json"].encode(arguments)

    def _check(self, task: str, param: str | None) -> None:
        known = self.registry.get(task)
        if known is not None:
            args, kwargs = known.codec.decode(param)
            known.bind(args, kwargs)

    def _new_job(self, task: str, param: str | None, options: Options) -> NewJob:
        if param is not None and len(param.encode("utf-8", "surrogatepass")) > (
            most := self.config.job.max_param_bytes
        ):
            raise ParamError(
                f"the param of {task} is larger than {most} bytes (job.max_param_bytes): store the"
                " data elsewhere and pass where it is"
            )
        known = self.registry.get(task)
        if known is not None:
            options = {"queue": known.queue, "priority": known.priority, **options}
        return NewJob(task, param, **options)
