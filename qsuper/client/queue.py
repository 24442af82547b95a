"""The one object an application holds: it declares tasks and enqueues jobs."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ParamSpec, TypeVar, Unpack, cast, overload

from qsuper.client.handles import JobHandle, TaskHandle
from qsuper.client.moments import in_seconds, say_what_is_too_late
from qsuper.client.options import Options, RunOptions, TaskOptions
from qsuper.config import Config, load
from qsuper.errors import ParamError
from qsuper.job import DEFAULT_QUEUE, NewJob, check_name
from qsuper.redis.address import url_of
from qsuper.redis.waking import Waker
from qsuper.states import State
from qsuper.store import enqueueing, timers
from qsuper.store.borrowing import borrow
from qsuper.store.database import Connection, Database
from qsuper.store.enqueueing import Writer
from qsuper.store.schema import ensure
from qsuper.store.threads import Threads
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.expiry import check_task
from qsuper.tasks.registry import Registry, Task
from qsuper.tasks.watch import Watch

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
        self._waker = Waker(lambda: url_of(self.config))

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
            job_id = self.within(lambda own: enqueueing.keep(own, job), connection)
        elif connection is not None:
            job_id = enqueueing.insert(borrow(connection), job)
        else:
            job_id = self._threads.do(lambda own: enqueueing.insert(own, job))
        self._written([job], connection)
        return JobHandle(self, job_id)

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
        count = self.within(lambda writer: enqueueing.insert_many(writer, jobs), connection)
        self._written(jobs, connection)
        return count

    @overload
    def timer(
        self,
        name: str,
        delay: float | timedelta,
        task: str,
        param: Mapping[str, Any] | None = None,
        *,
        connection: Any = None,
        **options: Unpack[RunOptions],
    ) -> JobHandle: ...
    @overload
    def timer(
        self,
        name: str,
        *,
        at: float | datetime,
        task: str,
        param: Mapping[str, Any] | None = None,
        connection: Any = None,
        **options: Unpack[RunOptions],
    ) -> JobHandle: ...
    def timer(
        self,
        name: str,
        delay: float | timedelta | None = None,
        task: str = "",
        param: Mapping[str, Any] | None = None,
        *,
        at: float | datetime | None = None,
        connection: Any = None,
        **options: Unpack[RunOptions],
    ) -> JobHandle:
        """Set the timer `name`, or move it if it waits: the job runs once its time has come,
        whatever was down meanwhile.

        `delay` is in seconds on the database's clock, `at` a Unix time or a datetime with its
        time zone; what is past fires at once. A handler may set its own timer anew: the job that
        runs gives up its name. Raises `ParamError`, and `JobIsEnding` while the running job of
        this name is being cancelled.
        """
        if (delay is None) == (at is None):
            raise ParamError(f"the timer {name!r} wants either delay or at")
        check_name(name)
        when = {"delay": delay} if at is None else {"at": at}
        job = self._new_job(
            task, self._encode(task, param), cast(Options, {**options, **when, "name": name})
        )
        job_id = self.within(lambda writer: enqueueing.move(writer, job), connection)
        self._written([job], connection)
        return JobHandle(self, job_id)

    def remaining(self, name: str, *, connection: Any = None) -> float | None:
        """Seconds until the waiting job of this name may run, 0.0 when it is overdue; None when
        none waits: it was never set, was cancelled, or has fired."""
        if connection is not None:
            return timers.due_in(borrow(connection), name)
        return self._threads.do(lambda own: timers.due_in(own, name))

    def cancel(self, name: str, *, connection: Any = None) -> bool:
        """Take the waiting job of this name back; False when none waits, or it runs already."""
        return self.within(lambda own: timers.cancel(own, name), connection) is State.CANCELLED

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

    def job(self, job_id: int) -> JobHandle:
        """The handle of a job enqueued earlier."""
        return JobHandle(self, job_id)

    def close(self) -> None:
        """Give up this thread's connection; the next use makes a new one."""
        self._threads.close()
        self._waker.close()

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
        return NewJob(task, param, **in_seconds(options))

    def _written(self, jobs: Sequence[NewJob], connection: Any) -> None:
        """Say which dates could not be kept, and tell idle workers of what is ready now.

        A caller's transaction has yet to commit: the scheduler's look will find what is in it.
        """
        if any(not job.is_ready for job in jobs):
            say_what_is_too_late(
                jobs, borrow(connection) if connection is not None else self.database
            )
        if connection is not None:
            return
        ready = Counter(job.queue for job in jobs if job.is_ready)
        for queue, count in ready.items():
            self._waker.wake(queue, count)
