"""One job's alarm is not the next one's."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from qsuper.errors import QsuperError
from qsuper.job import Done, Failed, Job, Outcome
from qsuper.roles.runner import Runner
from qsuper.scoreboard import clock
from qsuper.tasks.registry import Registry, Task
from qsuper.tasks.run import TIMED_OUT
from tests.roles.bench import Bench

LONG = 600.0


def run(runner: Runner, bench: Bench, task: str, timeout: float) -> Outcome:
    record = runner._record
    record.hold([1], [5])
    job = Job(1, task, None, 1, None, timeout, 1)
    outcome, _ = runner.run(job, runner.task(job), 0, clock(), quiet=True)
    return outcome


def ignore_alarms() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)


def leave_a_timer() -> None:
    signal.setitimer(signal.ITIMER_REAL, LONG)


def leave_a_handler() -> None:
    def complain(_signal: int, _frame: object) -> None:
        raise RuntimeError("an alarm of another job")

    signal.signal(signal.SIGALRM, complain)


def hang() -> None:
    """Longer than its time-out by far."""
    time.sleep(10.0)


@pytest.mark.parametrize("timeout", [0.0, LONG], ids=["without a time-out", "with one"])
@pytest.mark.parametrize("meddle", [ignore_alarms, leave_a_handler, leave_a_timer])
def test_a_time_out_strikes_whatever_the_job_before_did_to_the_alarm(
    sqlite_bench: Bench, meddle: Callable[[], None], timeout: float
) -> None:
    bench = sqlite_bench
    for task in (ignore_alarms, leave_a_timer, leave_a_handler, hang):
        bench.task(task)
    runner = bench.runner(bench.record())
    assert isinstance(run(runner, bench, meddle.__name__, timeout), Done)
    outcome = run(runner, bench, "hang", 0.1)
    assert isinstance(outcome, Failed)
    assert outcome.error == TIMED_OUT


def test_a_timer_that_a_job_without_a_time_out_leaves_is_stopped(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    bench.task(leave_a_timer)
    assert isinstance(run(bench.runner(bench.record()), bench, "leave_a_timer", 0.0), Done)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def numbers() -> Iterator[int]:
    yield 1


async def asynchronous_numbers() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("handler", [numbers, asynchronous_numbers])
def test_a_generator_is_refused_as_a_task(handler: Callable[[], object]) -> None:
    """Calling it would run none of its code, and the job would be done."""
    with pytest.raises(QsuperError, match=f"'{handler.__name__}' is a generator"):
        Registry().add(Task(handler.__name__, handler))


def test_a_coroutine_function_is_run_to_its_end(sqlite_bench: Bench) -> None:
    ran: list[str] = []

    async def pause() -> None:
        ran.append("begun")
        await asyncio.sleep(0)
        ran.append("ended")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    sqlite_bench.task(pause)
    sqlite_bench.task(fail)
    runner = sqlite_bench.runner(sqlite_bench.record())
    assert isinstance(run(runner, sqlite_bench, "pause", 0.0), Done)
    assert ran == ["begun", "ended"]
    failed = run(runner, sqlite_bench, "fail", 0.0)
    assert isinstance(failed, Failed)
    assert failed.error == "ValueError: no"
