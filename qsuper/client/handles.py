"""What an application holds of a job it has enqueued, and of a task it has declared."""

import json
import time
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, Unpack

from qsuper.client.options import Options
from qsuper.errors import NoSuchJob
from qsuper.states import FINISHED, State
from qsuper.store import cancelling, explaining, hurrying, reporting
from qsuper.store.enqueueing import Writer
from qsuper.tasks.hooks import Around, OnFailure
from qsuper.tasks.registry import Task

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")
_Found = TypeVar("_Found")


class Adder(Protocol):
    """The part of a `Queue` that the handles need."""

    def within(self, work: Callable[[Writer], _Found], connection: Any = None) -> _Found: ...
    def add_call(
        self, task: str, args: tuple[Any, ...], kwargs: dict[str, Any], options: Options
    ) -> "JobHandle": ...


class JobHandle:
    """A job that was enqueued."""

    def __init__(self, queue: Adder, job_id: int) -> None:
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

    @property
    def result(self) -> Any:
        """What its task returned, if that is kept (`keep_result`) and it is done; else None."""
        text = self._queue.within(lambda writer: reporting.result(writer, self.id))
        return None if text is None else json.loads(text)

    def why(self) -> list[str]:
        """In sentences: why it has not run, or how it ended. Raises `NoSuchJob`."""
        found = self._queue.within(lambda writer: explaining.explain(writer, self.id))
        return found.sentences

    def run_now(self) -> State:
        """Let it run at once if it waits for its time; the state that it is in then."""
        return self._queue.within(lambda writer: hurrying.hurry(writer, self.id)[0])

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

    def cancel(self, *, running: bool = False) -> bool:
        """Take it back if it still waits; False when it was too late.

        With `running` a running one is ended, too, and is `cancelled` once nothing of it is left:
        then the answer is True, and `wait` tells the end.
        """
        state = self._queue.within(
            lambda writer: cancelling.cancel(writer, self.id, running=running)
        )
        return state is State.CANCELLED or (running and state is State.RUNNING)


class TaskHandle(Generic[_Params, _Result]):
    """A task: call it to run it here and now, `add` it to have a worker run it."""

    def __init__(
        self, queue: Adder, task: Task, function: Callable[_Params, _Result], options: Options
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
        return self._queue.add_call(self.name, args, kwargs, self._options)

    def options(self, **options: Unpack[Options]) -> "TaskHandle[_Params, _Result]":
        """The same task to be added in another way: `send.options(priority=-10).add(uid=4)`."""
        return TaskHandle(self._queue, self.task, self._function, {**self._options, **options})

    def before(self, hook: Around) -> Around:
        """Have a function called with the `CurrentJob` before each job of this task."""
        self.task.hooks.before.append(hook)
        return hook

    def after(self, hook: Around) -> Around:
        """The same after each, however it ended."""
        self.task.hooks.after.append(hook)
        return hook

    def on_failure(self, hook: OnFailure) -> OnFailure:
        """The same after each failed attempt, with the job and the exception."""
        self.task.hooks.on_failure.append(hook)
        return hook
