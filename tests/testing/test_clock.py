"""Time that jumps: timers, delays, further attempts, ages and schedules."""

from datetime import UTC, datetime, timedelta

import pytest

from qsuper import Queue
from qsuper.errors import ParamError, QsuperError
from qsuper.tasks.scheduled import schedules_of
from qsuper.testing import Clock, State, drain, inline, jobs


def test_a_timer_fires_when_its_time_has_come_and_not_before(queue: Queue, clock: Clock) -> None:
    fired = []

    @queue.task
    def cancel_order(sn: str) -> None:
        fired.append(sn)

    timer = queue.timer("order:SN1", 1800, "cancel_order", {"sn": "SN1"})
    clock.advance("25m")
    assert drain(queue) == []
    remaining = queue.remaining("order:SN1")
    assert remaining is not None
    assert 0 < remaining <= 300
    clock.advance("5m")
    assert timer.state is State.READY
    drain(queue)
    assert fired == ["SN1"]


def test_a_timer_that_is_moved_after_a_jump_counts_from_there(queue: Queue, clock: Clock) -> None:
    @queue.task
    def work() -> None: ...

    queue.timer("one", 60, "work")
    clock.advance(50)
    queue.timer("one", 60, "work")
    clock.advance(50)
    assert drain(queue) == []
    clock.advance(timedelta(seconds=10))
    assert len(drain(queue)) == 1


def test_the_next_attempt_comes_when_its_wait_is_over(queue: Queue, clock: Clock) -> None:
    @queue.task(backoff=100, max_attempts=2)
    def fail() -> None:
        raise ValueError

    job = fail.add()
    drain(queue)
    assert drain(queue) == []
    clock.advance("1h")
    assert [one.state for one in drain(queue)] == [State.DEAD]
    assert job.state is State.DEAD


def test_a_job_grows_too_old_while_it_waits_for_a_worker(queue: Queue, clock: Clock) -> None:
    @queue.task(max_age=600)
    def work() -> None: ...

    work.add()
    clock.advance("9m")
    work.add()
    clock.advance("2m")
    assert [one.state for one in drain(queue)] == [State.CANCELLED, State.DONE]


def test_inline_jobs_run_while_the_clock_is_moved(queue: Queue, clock: Clock) -> None:
    @queue.task
    def work() -> None: ...

    with inline(queue):
        job = work.options(delay=60).add()
        assert [one.state for one in jobs(queue)] == [State.SCHEDULED]
        clock.advance("1m")
        assert job.state is State.DONE


def test_a_schedule_makes_a_job_of_each_due_time(queue: Queue) -> None:
    @queue.schedule("30 2 * * *", timezone="Europe/Berlin")
    @queue.task
    def backup() -> None: ...

    clock = Clock(queue, datetime(2031, 3, 28, 12, tzinfo=UTC))
    clock.move_to(datetime(2031, 3, 29, 1, 29, tzinfo=UTC))
    assert jobs(queue) == []
    clock.advance("1m")
    assert len(jobs(queue)) == 1
    # In the second night the clocks go from two to three: it is due when that hour would be over.
    clock.move_to(datetime(2031, 3, 30, 0, 59, tzinfo=UTC))
    assert len(jobs(queue)) == 1
    clock.advance("1m")
    assert len(jobs(queue)) == 2
    clock.move_to(datetime(2031, 3, 31, 0, 30, tzinfo=UTC))
    assert [one.state for one in drain(queue)] == [State.DONE] * 3


def test_schedules_are_due_in_their_order(queue: Queue, clock: Clock) -> None:
    @queue.schedule("30 * * * *")
    @queue.task
    def half() -> None: ...

    @queue.schedule("0 * * * *")
    @queue.task
    def full() -> None: ...

    clock.move_to(clock.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
    drain(queue)
    clock.advance("2h")
    assert [one.task for one in drain(queue)] == ["half", "full", "half", "full"]


def test_a_schedule_that_skips_makes_no_second_job_while_the_first_one_lives(
    queue: Queue, clock: Clock
) -> None:
    @queue.schedule("0 * * * *", overlap="skip")
    @queue.task
    def sweep() -> None: ...

    clock.advance("5h")
    assert len(drain(queue)) == 1
    clock.advance("1h")
    assert len(drain(queue)) == 1


def test_a_job_with_jitter_runs_at_its_own_time(queue: Queue) -> None:
    @queue.schedule("0 0 * * *", jitter=3600)
    @queue.task
    def sweep() -> None: ...

    clock = Clock(queue, datetime(2031, 3, 28, 23, tzinfo=UTC))
    (schedule,) = schedules_of(queue.config, queue.registry)
    lateness = schedule.lateness(int(datetime(2031, 3, 29, tzinfo=UTC).timestamp()))
    assert lateness > 60
    clock.advance("61m")
    assert drain(queue) == []
    clock.advance(lateness)
    assert len(drain(queue)) == 1


def test_two_clocks_make_no_job_twice(queue: Queue, clock: Clock) -> None:
    @queue.schedule("0 0 * * *")
    @queue.task
    def sweep() -> None: ...

    clock.advance("1d")
    Clock(queue).advance("1d")
    assert len(drain(queue)) == 1


def test_a_jump_that_would_make_a_heap_of_jobs_is_refused(queue: Queue, clock: Clock) -> None:
    @queue.schedule("* * * * *")
    @queue.task
    def sweep() -> None: ...

    with pytest.raises(QsuperError, match="in smaller steps"):
        clock.advance("30d")
    assert jobs(queue) == []
    assert clock.now < datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize("time", ["soon", "-5m", -5, float("nan"), None, "1h30m", timedelta(-1)])
def test_what_is_no_time_to_advance_by_is_refused(queue: Queue, clock: Clock, time: object) -> None:
    with pytest.raises(ParamError):
        clock.advance(time)  # type: ignore[arg-type]


def test_a_time_without_zone_is_refused(queue: Queue, clock: Clock) -> None:
    with pytest.raises(ParamError, match="no time zone"):
        clock.move_to(datetime(2040, 1, 1))  # noqa: DTZ001
