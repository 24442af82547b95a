"""What an application holds of a job it has enqueued, and of a task it has declared."""

import time
from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar, Unpack

from qsuper.client.options import Options
from qsuper.errors import NoSuchJob
from qsuper.states import FINISHED, State
from qsuper.store import cancelling
from qsuper.tasks.registry import Task

if TYPE_CHECKING:
    from qsuper.client.queue import Queue

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")


class JobHandle:
    """A job that was enqueued."""

    def __init__(self, queue: "Queue", job_id: int) -> None:
        self._queue = queue
        self.id = job_id

    def __repr__(self) -> str:
        return f"<job {self.id}>"

    @property
    def state(self) -> State:
        """As the database has it now; raises `NoSuchJob` once it is pruned."""
        found = self._queue.within(lambda writer: cancelling.state_of(writer, self.id))
        if found is None:
            raise NoSuchJob(f"there is no job {self.id}")
        return found

    def wait(self, timeout: float | None = None) -> State:
        """Wait until it has finished and return its state; raises `TimeoutError` after `timeout`
        seconds. Looks every 5 ms at first and every half second at last."""
        ends = None if timeout is None else time.monotonic() + timeout
        pause = 0.005
        while (state := self.state) not in FINISHED:
            if ends is not None and time.monotonic() >= ends:
                raise TimeoutError(f"job {self.id} is {state.word} after {timeout} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        return state

    def cancel(self) -> bool:
        """Take it back if it still waits; False when it was too late."""
        return self._queue.within(
            lambda writer: cancelling.cancel(writer, self.id) is State.CANCELLED
        )


class TaskHandle(Generic[_Params, _Result]):
    """A task: call it to run it here and now, `add` it to have a worker run it."""

    def __init__(
        self, queue: "Queue", task: Task, function: Callable[_Params, _Result], options: Options
    ) -> None:
        self.task = task
        self.name = task.name
        self._queue = queue
        self._function = function
        self._options = options
        update_wrapper(self, function)

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
        return self._function(*args, **kwargs)

    def add(self, *args: _Params.args, **kwargs: _Params.kwargs) -> JobHandle:
        """Enqueue a call, checked against the signature; raises `ParamError`."""
        return self._queue.add_raw(self.name, self.task.encode(*args, **kwargs), **self._options)

    def options(self, **options: Unpack[Options]) -> "TaskHandle[_Params, _Result]":
        """The same task to be added in another way: `send.options(priority=-10).add(uid=4)`."""
        return TaskHandle(self._queue, self.task, self._function, {**self._options, **options})
