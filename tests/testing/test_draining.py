"""Jobs that run in the test itself: what `drain` and `inline` do with each outcome."""

import os
import signal
import threading
import time
from typing import Any

import pytest

from qsuper import Discard, Queue, Retry, Snooze, current_job
from qsuper.errors import ParamError, QsuperError, UnknownTask
from qsuper.store import pausing
from qsuper.tasks.current import CurrentJob
from qsuper.testing import State, drain, inline, jobs


def test_what_is_ready_runs_the_most_urgent_first_and_what_that_adds_too(queue: Queue) -> None:
    seen = []

    @queue.task
    def note(word: str) -> None:
        seen.append(word)
        if word == "second":
            note.add("added by second")

    note.add("second")
    note.options(queue="other").add("third")
    first = note.options(priority=-5, queue="other").add("first")
    note.options(delay=60).add("later")
    ran = drain(queue)
    assert seen == ["first", "second", "third", "added by second"]
    assert (ran[0].id, ran[0].task, ran[0].state, ran[0].error) == (
        first.id,
        "note",
        State.DONE,
        None,
    )
    assert [job.param for job in jobs(queue, state=State.SCHEDULED)] == [{"word": "later"}]
    assert drain(queue) == []


def test_a_failed_attempt_is_recorded_and_waits_for_the_next_one(queue: Queue) -> None:
    @queue.task
    def fail() -> None:
        raise ValueError("no luck")

    job = fail.add()
    (ran,) = drain(queue)
    assert (ran.state, ran.error) == (State.SCHEDULED, "ValueError: no luck")
    assert isinstance(ran.cause, ValueError)
    assert job.state is State.SCHEDULED
    assert jobs(queue)[0].error == "ValueError: no luck"


def test_attempts_that_follow_at_once_are_run_until_none_is_left(queue: Queue) -> None:
    @queue.task(backoff=0, max_attempts=4)
    def fail() -> None:
        raise ValueError

    fail.add()
    assert [one.state for one in drain(queue)] == [*[State.READY] * 3, State.DEAD]


def test_what_becomes_due_while_others_run_waits_for_the_next_drain(queue: Queue) -> None:
    @queue.task(backoff=0.001)
    def fail() -> None:
        time.sleep(0.02)
        raise ValueError

    fail.add()
    fail.add()
    assert [one.id for one in drain(queue)] == [1, 2]
    assert [one.id for one in drain(queue)] == [1, 2]


def test_a_drain_that_raises_raises_what_the_code_has_raised(queue: Queue) -> None:
    @queue.task
    def fail() -> None:
        raise ValueError("no luck")

    fail.add()
    with pytest.raises(ValueError, match="no luck"):
        drain(queue, raises=True)


@pytest.mark.parametrize(
    ("verdict", "state", "error"),
    [
        (Retry("later", in_=60), State.SCHEDULED, "later"),
        (Snooze(in_=60), State.SCHEDULED, None),
        (Discard("not wanted"), State.CANCELLED, "not wanted"),
    ],
)
def test_what_a_task_decides_is_no_failure(
    queue: Queue, verdict: Exception, state: State, error: str | None
) -> None:
    @queue.task
    def decide() -> None:
        raise verdict

    decide.add()
    (ran,) = drain(queue, raises=True)
    assert (ran.state, ran.error) == (state, error)


def test_jobs_that_add_themselves_without_end_are_told_so(queue: Queue) -> None:
    @queue.task
    def again() -> None:
        again.add()

    again.add()
    with pytest.raises(QsuperError, match="5 jobs have run and job 6, again, was one more"):
        drain(queue, most=5)


def test_a_paused_queue_is_not_drained(queue: Queue) -> None:
    @queue.task
    def work() -> None: ...

    work.add()
    queue._threads.do(lambda own: pausing.set_paused(own, "default", True))
    assert drain(queue) == []


def test_a_task_that_nobody_here_knows_is_put_off_and_said(queue: Queue) -> None:
    queue.add("sned_msg", {"uid": 4})
    (ran,) = drain(queue)
    assert (ran.state, ran.error) == (
        State.SCHEDULED,
        "no task named 'sned_msg' is registered here",
    )
    queue.add("sned_msg", {"uid": 4})
    with pytest.raises(UnknownTask, match="sned_msg"):
        drain(queue, raises=True)


def test_a_row_of_another_program_goes_through_codec_and_signature(queue: Queue) -> None:
    @queue.task
    def send_msg(uid: int) -> None: ...

    cursor = queue.database.connect().raw.cursor()
    cursor.execute("INSERT INTO queue (task, param) VALUES ('send_msg', '{\"user\": 4}')")
    cursor.execute("INSERT INTO queue (task, param) VALUES ('send_msg', '{uid')")
    assert [job.param for job in jobs(queue)] == [{"user": 4}, "{uid"]
    first, second = drain(queue)
    assert (first.state, second.state) == (State.DEAD, State.DEAD)
    assert "cannot take this param" in str(first.error)
    assert "not JSON" in str(second.error)


def test_a_job_too_old_to_be_worth_running_is_discarded_and_said(queue: Queue) -> None:
    @queue.task(max_age=60)
    def work() -> None: ...

    work.options(at=time.time() - 3600).add()
    (ran,) = drain(queue)
    assert ran.state is State.CANCELLED
    assert ran.error


def test_settings_of_the_configuration_hold(queue: Queue) -> None:
    @queue.task
    def resize() -> None:
        assert current_job().queue == "pictures"

    resize.add()
    assert [job.queue for job in jobs(queue)] == ["pictures"]
    assert [one.state for one in drain(queue)] == [State.DONE]


def test_an_inline_job_has_run_when_add_returns(queue: Queue) -> None:
    seen = []

    @queue.task(keep_result=True)
    def double(number: int) -> int:
        seen.append(number)
        return number * 2

    with inline(queue):
        job = double.add(number=21)
        assert seen == [21]
        assert (job.state, job.result) == (State.DONE, 42)
    double.add(number=1)
    assert seen == [21]


def test_an_inline_failure_comes_out_of_add(queue: Queue) -> None:
    @queue.task
    def fail() -> None:
        raise ValueError("no luck")

    with inline(queue), pytest.raises(ValueError, match="no luck"):
        fail.add()
    assert [job.state for job in jobs(queue)] == [State.SCHEDULED]


def test_an_inline_failure_is_recorded_where_that_is_wanted(queue: Queue) -> None:
    @queue.task
    def fail() -> None:
        raise ValueError("no luck")

    with inline(queue, raises=False):
        assert fail.add().state is State.SCHEDULED


def test_an_inline_job_is_checked_when_it_is_added(queue: Queue) -> None:
    @queue.task
    def send_msg(uid: int) -> None: ...

    with inline(queue), pytest.raises(ParamError):
        queue.add("send_msg", {"user": 4})
    assert jobs(queue) == []


def test_what_inline_jobs_add_runs_after_them(queue: Queue) -> None:
    seen = []

    @queue.task
    def outer() -> None:
        inner.add()
        seen.append("outer")

    @queue.task
    def inner() -> None:
        seen.append("inner")

    with inline(queue):
        outer.add()
        assert seen == ["outer", "inner"]


def test_many_jobs_and_groups_run_inline(queue: Queue) -> None:
    seen = []

    @queue.task
    def note(word: str) -> None:
        seen.append(word)

    with inline(queue):
        queue.add_many("note", [{"word": "a"}, {"word": "b"}])
        with queue.group("note", {"word": "last"}) as group:
            group.add("note", {"word": "c"})
            group.add("note", {"word": "d"})
        assert seen == ["a", "b", "c", "d", "last"]


def test_what_is_added_from_another_thread_runs_in_the_main_one(queue: Queue) -> None:
    ran_in = []

    @queue.task
    def work() -> None:
        ran_in.append(threading.current_thread())

    def add() -> None:
        work.add()
        queue.close()

    with inline(queue):
        thread = threading.Thread(target=add)
        thread.start()
        thread.join()
        assert ran_in == []
    assert ran_in == [threading.main_thread()]


def test_hooks_progress_and_state_work_as_in_a_worker(queue: Queue) -> None:
    told: list[Any] = []

    @queue.task(backoff=0)
    def climb() -> None:
        job = current_job()
        job.progress(0.5, "half way")
        job.state = {"step": (job.state or {"step": 0})["step"] + 1}
        told.append(job.state["step"])
        if job.attempt < 3:
            raise ValueError

    @queue.before
    def before(job: CurrentJob) -> None:
        told.append(f"before {job.attempt}")

    @climb.on_failure
    def failed(job: CurrentJob, error: BaseException) -> None:
        told.append(type(error))

    climb.add()
    drain(queue)
    assert told == ["before 1", 1, ValueError, "before 2", 2, ValueError, "before 3", 3]


def test_a_transactional_task_writes_all_or_nothing(queue: Queue) -> None:
    money = queue.database.connect()
    money.raw.cursor().execute("CREATE TABLE paid (sn VARCHAR(20))")

    @queue.task(transactional=True)
    def pay(sn: str, connection: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"INSERT INTO paid VALUES ('{sn}')")
        thank.add(sn=sn)
        if sn == "SN2":
            raise ValueError

    @queue.task
    def thank(sn: str) -> None: ...

    queue.add("pay", {"sn": "SN1"})
    queue.add("pay", {"sn": "SN2"})
    assert [one.state for one in drain(queue)] == [State.DONE, State.SCHEDULED, State.DONE]
    cursor = money.raw.cursor()
    cursor.execute("SELECT sn FROM paid")
    assert [row[0] for row in cursor.fetchall()] == ["SN1"]
    assert [job.param for job in jobs(queue, "thank")] == [{"sn": "SN1"}]


def test_async_tasks_run(queue: Queue) -> None:
    @queue.task(keep_result=True)
    async def work() -> int:
        return 5

    with inline(queue):
        assert work.add().result == 5


def test_a_time_out_ends_the_job_and_leaves_the_test_its_alarm(queue: Queue) -> None:
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 3600)

    @queue.task(timeout=0.05)
    def hang() -> None:
        time.sleep(60)

    hang.add()
    try:
        (ran,) = drain(queue)
        assert ran.error == "ran longer than its time-out"
        assert 3500 < signal.getitimer(signal.ITIMER_REAL)[0] <= 3600
        signal.raise_signal(signal.SIGALRM)
        assert rung == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_what_a_test_has_changed_in_its_process_stays(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    @queue.task
    def look() -> None:
        seen.append(os.environ.get("SHOP"))

    with inline(queue):
        look.add()
        monkeypatch.setenv("SHOP", "here")
        look.add()
        look.add()
    assert seen == [None, "here", "here"]


def test_a_control_c_in_a_job_ends_the_test(queue: Queue) -> None:
    @queue.task
    def interrupted() -> None:
        raise KeyboardInterrupt

    interrupted.add()
    with pytest.raises(KeyboardInterrupt):
        drain(queue)
