"""The one object an application holds: it declares tasks and enqueues jobs."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar, Unpack, cast, overload

from qsuper.client.bulk import Bulk
from qsuper.client.declarations import Declarations
from qsuper.client.group import Group
from qsuper.client.handles import JobHandle
from qsuper.client.making import Making
from qsuper.client.moments import say_what_is_too_late
from qsuper.client.options import OnConflict, Options, RunOptions, ThenOptions
from qsuper.config import Config, load
from qsuper.errors import ParamError
from qsuper.job import NewJob, check_name
from qsuper.redis.address import url_of
from qsuper.redis.waking import Waker
from qsuper.states import State
from qsuper.store import enqueueing, timers
from qsuper.store.borrowing import borrow
from qsuper.store.database import Connection, Database
from qsuper.store.enqueueing import Writer
from qsuper.store.groups import enqueue_group
from qsuper.store.schema import ensure
from qsuper.store.threads import Threads
from qsuper.tasks.current import running
from qsuper.tasks.registry import Registry

_Result = TypeVar("_Result")


class Queue(Declarations):
    """The jobs of one database.

    `url` names it; without it the configuration does (`qsuper.toml`, `QSUPER_*`), and without any:
    SQLite under ./var. Opens nothing until it is used; threads and forks may share it.
    """

    def __init__(self, url: str | None = None, *, config: Config | None = None) -> None:
        self.registry = Registry()
        self._url = url
        self._given = config
        self._waker = Waker(lambda: url_of(self.config))

    def configure(self, config: Config) -> None:
        """Have the configuration that a worker runs under, unless one's own was given."""
        if self._url is None and self._given is None:
            self._given = config
            for name in ("config", "database", "_threads", "_making", "bulk"):
                self.__dict__.pop(name, None)

    def learn(self, registry: Registry) -> None:
        """Take the tasks of another application's registry in the place of one's own."""
        self.registry = registry
        self.__dict__.pop("_making", None)

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
    def _making(self) -> Making:
        return Making(self.registry, self.config)

    @cached_property
    def _threads(self) -> Threads:
        return Threads(self.database)

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
        raw = self._making.encode(task, param)
        return self._add(task, raw, connection, options)

    def add_raw(
        self,
        task: str,
        param: str | None,
        *,
        connection: Any = None,
        **options: Unpack[Options],
    ) -> JobHandle:
        """Enqueue with the param as the column is to hold it; raises `ParamError`."""
        self._making.check(task, param)
        return self._add(task, param, connection, options)

    def _add(self, task: str, param: str | None, connection: Any, options: Options) -> JobHandle:
        on_conflict = options.pop("on_conflict", None)
        job = self._making.job(task, param, options)
        connection = self._joined(connection)
        if job.name is not None:
            write = _on_conflict(on_conflict or "keep")
            job_id = self.within(lambda own: write(own, job), connection)
        elif on_conflict is not None:
            raise ParamError("on_conflict is for jobs that have a name")
        elif connection is not None:
            job_id = enqueueing.insert(borrow(connection), job)
        else:
            job_id = self._threads.do(lambda own: enqueueing.insert(own, job))
        self._written([job], connection)
        return JobHandle(self, job_id)

    def add_call(
        self, task: str, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
    ) -> JobHandle:
        """Enqueue a call of a task that is registered here."""
        known = self._making.known(task) or self.registry[task]
        return self._add(task, known.encode(*args, **kwargs), None, options)

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
        job = self._making.job(task, None, options)
        encode = self._making.encoder(task)
        texts = [encode(param) for param in params]
        connection = self._joined(connection)
        self.within(lambda writer: enqueueing.insert_many(writer, job, texts), connection)
        self._written([job], connection, each=len(texts))
        return len(texts)

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
        job = self._making.job(
            task, self._making.encode(task, param), cast(Options, {**options, **when, "name": name})
        )
        connection = self._joined(connection)
        job_id = self.within(lambda writer: enqueueing.move(writer, job), connection)
        self._written([job], connection)
        return JobHandle(self, job_id)

    def group(
        self,
        then: str,
        param: Mapping[str, Any] | None = None,
        *,
        connection: Any = None,
        **options: Unpack[ThenOptions],
    ) -> Group:
        """Jobs after whose ends a job of the task `then` is added, once all are done:

            with queue.group("send_report", {"to": "chief"}) as group:
                for page in pages:
                    group.add("draw_page", {"page": page})

        One that is dead or cancelled keeps the others' end waiting, until it is retried and done.
        """
        raw = self._making.encode(then, param)
        return self.raw_group(then, raw, connection=connection, **options)

    def raw_group(
        self,
        then: str,
        param: str | None = None,
        *,
        connection: Any = None,
        **options: Unpack[ThenOptions],
    ) -> Group:
        """The same with the param as the column is to hold it."""
        if others := options.keys() - ThenOptions.__annotations__.keys():
            raise ParamError(f"what follows a group takes no {', '.join(sorted(others))}")

        def make(task: str, param: str | None, options: Options) -> NewJob:
            self._making.check(task, param)
            return self._making.job(task, param, options)

        last = make(then, param, cast(Options, options))

        def write(jobs: list[NewJob]) -> list[int]:
            joined = self._joined(connection)
            ids = self.within(lambda writer: enqueue_group(writer, jobs, last), joined)
            self._written(jobs or [last], joined)
            return ids

        return Group(self._making.encode, make, write)

    def remaining(self, name: str, *, connection: Any = None) -> float | None:
        """Seconds until the waiting job of this name may run, 0.0 when it is overdue; None when
        none waits: it was never set, was cancelled, or has fired."""
        connection = self._joined(connection)
        if connection is not None:
            return timers.due_in(borrow(connection), name)
        return self._threads.do(lambda own: timers.due_in(own, name))

    def cancel(self, name: str, *, running: bool = False, connection: Any = None) -> bool:
        """Take the waiting job of this name back; False when none waits, or it runs already.

        With `running` a running one is ended, too: its name is free once nothing of it is left.
        """
        state = self.within(lambda own: timers.cancel(own, name, running=running), connection)
        return state is State.CANCELLED or (running and state is State.RUNNING)

    @cached_property
    def bulk(self) -> Bulk:
        """Many jobs retried or cancelled at once."""
        return Bulk(self._threads)

    def job(self, job_id: int) -> JobHandle:
        """The handle of a job enqueued earlier."""
        return JobHandle(self, job_id)

    def close(self) -> None:
        """Give up this thread's connection; the next use makes a new one."""
        self._threads.close()
        self._waker.close()

    def within(self, work: Callable[[Writer], _Result], connection: Any = None) -> _Result:
        """Run `work` in the caller's transaction, or that of the transactional task that runs here,
        or in one of its own."""
        connection = self._joined(connection)
        if connection is not None:
            return work(borrow(connection))

        def alone(own: Connection) -> _Result:
            with own.transaction():
                return work(own)

        return self._threads.do(alone)

    def _joined(self, connection: Any) -> Any:
        """The caller's connection, or that of the transactional task that runs in this thread."""
        if connection is None and (job := running()) is not None:
            return job.transaction(self.database.place)
        return connection

    def _written(self, jobs: Sequence[NewJob], connection: Any, each: int = 1) -> None:
        """Say which dates could not be kept, and tell idle workers of what is ready now, `each`
        times.

        A caller's transaction has yet to commit: the scheduler's look will find what is in it.
        """
        if any(not job.is_ready for job in jobs):
            place = self.database if connection is None else borrow(connection)
            say_what_is_too_late(list(jobs) * each, place)
        if connection is not None:
            return
        ready = Counter(job.queue for job in jobs if job.is_ready)
        for queue, count in ready.items():
            if each:
                self._waker.wake(queue, count * each)


def _on_conflict(what: OnConflict) -> Callable[[Writer, NewJob], int]:
    ways = {"keep": enqueueing.keep, "replace": enqueueing.replace, "move": enqueueing.move}
    if what not in ways:
        raise ParamError(f"on_conflict is one of {', '.join(ways)}, not {what!r:.40}")
    return ways[what]
