"""What a task says, raises or returns, and what becomes of its row: on every database."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from qsuper import Discard, Queue, Retry, Snooze, current_job
from qsuper.config import BackoffConfig
from qsuper.errors import QsuperError
from qsuper.job import Job
from qsuper.roles import backoff
from qsuper.roles.desk import WorkerDesk
from qsuper.roles.worker import Worker
from qsuper.scoreboard import clock
from qsuper.states import State
from qsuper.tasks.current import CurrentJob
from qsuper.tasks.ending import SoftTimeout
from qsuper.tasks.run import TIMED_OUT
from tests.roles.bench import Bench

DAY = 86400.0


def work(bench: Bench, worker: Worker | None = None, **columns: Any) -> int:
    """Add a job and have it run once; its id."""
    (job_id,) = bench.table.add(**columns)
    run(worker or bench.worker())
    return job_id


def run(worker: Worker) -> None:
    """A round that claims what is ready, runs it and writes its end down."""
    worker.tick(clock())
    assert not worker.acks


def attempts(bench: Bench, job_id: int) -> list[tuple[Any, ...]]:
    sql = "SELECT attempt, outcome, error FROM attempts WHERE job_id = :id ORDER BY claims"
    return bench.table.read(sql, id=job_id)


def count_attempts(bench: Bench, job_id: int) -> int:
    attempt: int = bench.table.row(job_id, "attempt")
    return attempt


class Refused(ValueError):
    """An error of a task's own."""


def raises(error: BaseException | type[BaseException]) -> Callable[[], NoReturn]:
    def send_msg() -> NoReturn:
        raise error

    return send_msg


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Refused("no such uid"), "Refused: no such uid"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit("left"), "GeneratorExit: left"),
        (BaseException("anything"), "BaseException: anything"),
        (SystemExit(0), "SystemExit: 0"),
        (SystemExit("had enough"), "SystemExit: had enough"),
        (BaseExceptionGroup("both", [KeyboardInterrupt()]), "BaseExceptionGroup: both (1 sub-"),
        (StopIteration(), "StopIteration"),
        (RecursionError("deep"), "RecursionError: deep"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_whatever_a_task_raises_is_a_failed_attempt_that_is_kept(
    bench: Bench, error: BaseException, words: str
) -> None:
    bench.task(raises(error))
    job_id = work(bench)
    assert bench.table.state(job_id) == State.SCHEDULED
    ((attempt, outcome, kept),) = attempts(bench, job_id)
    assert (attempt, outcome) == (1, "failed")
    assert kept.startswith(words)
    sql = "SELECT worker, node, started_at, ended_at, traceback FROM attempts"
    (row,) = bench.table.read(sql)
    assert all(row)
    assert "in send_msg" in row[4]


@pytest.mark.parametrize("error", [Refused("no"), Refused])
def test_an_error_of_no_retry_is_dead_at_its_first_attempt(bench: Bench, error: Any) -> None:
    bench.task(raises(error), no_retry=(ValueError, KeyError))
    job_id = work(bench)
    assert bench.table.state(job_id) == State.DEAD
    assert [kept[:2] for kept in attempts(bench, job_id)] == [(1, "dead")]


def test_an_error_that_is_not_of_no_retry_is_tried_again(bench: Bench) -> None:
    bench.task(raises(Refused("no")), no_retry=(KeyError,))
    assert bench.table.state(work(bench)) == State.SCHEDULED


def test_every_failed_attempt_is_kept_until_the_last_is_dead(bench: Bench) -> None:
    numbers: list[int] = []

    def send_msg() -> None:
        numbers.append(current_job().attempt)
        raise Refused(f"time {numbers[-1]}")

    bench.task(send_msg, backoff=BackoffConfig(base=0.0, cap=0.0), max_attempts=3)
    (job_id,) = bench.table.add()
    worker = bench.worker()
    for _ in range(5):
        run(worker)
    assert numbers == [1, 2, 3]
    assert bench.table.state(job_id) == State.DEAD
    assert attempts(bench, job_id) == [
        (1, "failed", "Refused: time 1"),
        (2, "failed", "Refused: time 2"),
        (3, "dead", "Refused: time 3"),
    ]


@pytest.mark.parametrize("wait", [90, 90.0, timedelta(seconds=90)])
def test_retry_waits_as_long_as_the_task_says(bench: Bench, wait: Any) -> None:
    bench.task(raises(Retry("busy", in_=wait)))
    job_id = work(bench)
    assert 80 < bench.table.seconds_until(job_id) < 90.1
    assert attempts(bench, job_id) == [(1, "failed", "busy")]
    assert count_attempts(bench, job_id) == 1


def test_retry_without_a_time_waits_as_the_backoff_says(bench: Bench) -> None:
    bench.task(raises(Retry), backoff=BackoffConfig(base=50.0, cap=100.0))
    job_id = work(bench)
    assert 30 < bench.table.seconds_until(job_id) < 60.1
    assert attempts(bench, job_id) == [(1, "failed", "its task wants another attempt")]


def test_retry_burns_attempts_and_ends_with_them(bench: Bench) -> None:
    bench.task(raises(Retry("busy", in_=0)), max_attempts=2)
    (job_id,) = bench.table.add()
    worker = bench.worker()
    for _ in range(4):
        run(worker)
    assert bench.table.state(job_id) == State.DEAD
    assert attempts(bench, job_id) == [(1, "failed", "busy"), (2, "dead", "busy")]


def test_snooze_burns_no_attempt_however_often(bench: Bench) -> None:
    bench.task(raises(Snooze(in_=0)), max_attempts=1)
    (job_id,) = bench.table.add()
    worker = bench.worker()
    for _ in range(10):
        worker.tick(clock())
        bench.table.write("UPDATE queue SET status = 0 WHERE status = 4")
    assert count_attempts(bench, job_id) == 0
    assert attempts(bench, job_id) == []
    assert bench.table.row(job_id, "claims") >= 10


def test_snooze_runs_it_when_the_task_says(bench: Bench) -> None:
    bench.task(raises(Snooze(in_=90)))
    job_id = work(bench)
    assert bench.table.state(job_id) == State.SCHEDULED
    assert 80 < bench.table.seconds_until(job_id) < 90.1


@pytest.mark.parametrize("verdict", [Snooze, Retry])
def test_a_time_beyond_all_dates_is_kept_as_the_last_one(bench: Bench, verdict: Any) -> None:
    bench.task(raises(verdict(in_=1e15)))
    job_id = work(bench)
    assert bench.table.state(job_id) == State.SCHEDULED
    assert bench.table.seconds_until(job_id) > 3650 * DAY


@pytest.mark.parametrize("wait", [float("nan"), float("inf"), "soon", None, True])
def test_a_time_that_is_none_is_a_failed_attempt(bench: Bench, wait: Any) -> None:
    def send_msg() -> None:
        raise Snooze(in_=wait)

    bench.task(send_msg)
    ((_, outcome, error),) = attempts(bench, work(bench))
    assert outcome == "failed"
    assert error.startswith("ParamError: in_ is a number of seconds, or a timedelta, not ")


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [(Discard("no such order"), "no such order"), (Discard, "its task discarded it")],
)
def test_discard_cancels_with_its_reason(bench: Bench, verdict: Any, reason: str) -> None:
    bench.task(raises(verdict))
    job_id = work(bench)
    assert bench.table.state(job_id) == State.CANCELLED
    assert attempts(bench, job_id) == [(1, "discarded", reason)]


def test_the_wait_doubles_within_its_jitter_and_never_exceeds_the_cap() -> None:
    settings = BackoffConfig(base=5.0, cap=60.0)
    for attempt, plain in [(1, 5.0), (2, 10.0), (3, 20.0), (4, 40.0), (5, 60.0), (10**6, 60.0)]:
        waits = [backoff.wait(attempt, settings) for _ in range(500)]
        assert plain * 0.8 <= min(waits)
        assert max(waits) <= min(60.0, plain * 1.2)
        assert len(set(waits)) > 400, "what failed together comes back together"


@pytest.mark.parametrize("attempt", [1, 2, 3])
@pytest.mark.parametrize(
    ("own", "settings"),
    [
        (None, BackoffConfig()),
        (BackoffConfig(base=1000.0, cap=3000.0), BackoffConfig(base=1000.0, cap=3000.0)),
    ],
)
def test_the_next_attempt_is_as_far_as_the_task_or_the_configuration_has_it(
    bench: Bench, own: BackoffConfig | None, settings: BackoffConfig, attempt: int
) -> None:
    bench.task(raises(Refused), backoff=own)
    (job_id,) = bench.table.add(attempt=attempt - 1)
    before = clock()
    run(bench.worker())
    plain = min(settings.cap, settings.base * 2 ** (attempt - 1))
    wait = bench.table.seconds_until(job_id)
    assert plain * 0.8 - (clock() - before) - 0.1 <= wait < plain * 1.2 + 0.1


@pytest.mark.parametrize("what", [object(), {1, 2}, b"raw", float("nan"), {(1, 2): 3}])
def test_a_result_that_json_cannot_hold_is_dead_and_not_repeated(bench: Bench, what: Any) -> None:
    ran: list[int] = []

    def send_msg() -> Any:
        ran.append(1)
        return what

    bench.task(send_msg, keep_result=True)
    job_id = work(bench)
    run(bench.worker())
    assert ran == [1]
    assert bench.table.state(job_id) == State.DEAD
    ((_, outcome, error),) = attempts(bench, job_id)
    assert outcome == "dead"
    assert error.startswith("what the task returned cannot be written as JSON: ")
    assert "\n" not in error


@pytest.mark.parametrize("what", [object(), {1, 2}, b"raw", float("nan")])
def test_what_nobody_keeps_may_be_anything(bench: Bench, what: Any) -> None:
    def send_msg() -> Any:
        return what

    bench.task(send_msg)
    job_id = work(bench)
    assert bench.table.row(job_id, "status", "result") == (int(State.DONE), None)


def test_nesting_that_has_no_end_and_too_much_of_it_are_no_results(bench: Bench) -> None:
    endless: list[Any] = []
    endless.append(endless)

    def circle() -> Any:
        return endless

    def flood() -> str:
        return "x" * (1 << 21)

    bench.task(circle, keep_result=True)
    bench.task(flood, keep_result=True)
    errors = [attempts(bench, work(bench, task=task))[0][2] for task in ("circle", "flood")]
    assert errors == [
        "what the task returned cannot be written as JSON: Circular reference detected",
        "what the task returned is larger than 1048576 bytes: store it elsewhere, and where it is",
    ]


@pytest.mark.parametrize(
    "what", [None, 0, False, "", [], {"a": [1, "ü\0\ud800", None]}, "x" * 9999]
)
def test_a_result_is_read_back_as_it_was(bench: Bench, what: Any) -> None:
    def send_msg() -> Any:
        return what

    bench.task(send_msg, keep_result=True)
    job_id = work(bench)
    assert bench.table.state(job_id) == State.DONE
    assert json.loads(bench.table.row(job_id, "result")) == what
    assert Queue(bench.table.url).job(job_id).result == what


def test_the_next_attempt_goes_on_from_what_this_one_saved(bench: Bench) -> None:
    seen: list[Any] = []

    def send_msg() -> None:
        job = current_job()
        seen.append(job.state)
        job.state = {"page": len(seen), "text": "ü\0"}
        job.state = {"page": len(seen), "text": "ü\0"}
        if len(seen) < 3:
            raise Retry(in_=0)

    bench.task(send_msg)
    (job_id,) = bench.table.add()
    worker = bench.worker()
    for _ in range(3):
        run(worker)
    assert seen == [None, {"page": 1, "text": "ü\0"}, {"page": 2, "text": "ü\0"}]
    assert bench.table.state(job_id) == State.DONE


def test_a_worker_that_has_lost_its_claim_cannot_save(bench: Bench) -> None:
    (job_id,) = bench.add_running("another-1", claims=2, state='"theirs"')
    record = bench.record()
    desk = WorkerDesk(bench.table.database, record)
    mine = CurrentJob(Job(job_id, "send_msg", None, 1, 5, None, 1), "default", desk)
    with pytest.raises(QsuperError, match=f"job {job_id} is not this worker's any more"):
        mine.state = "mine"
    mine.progress(0.5, "mine")
    assert bench.table.row(job_id, "state", "progress") == ('"theirs"', None)


def test_state_that_json_cannot_hold_fails_the_attempt_and_leaves_what_was(bench: Bench) -> None:
    def send_msg() -> None:
        current_job().state = object()

    bench.task(send_msg)
    job_id = work(bench, state='"before"')
    ((_, _, error),) = attempts(bench, job_id)
    assert error.startswith("ParamError: the state cannot be written as JSON: ")
    assert bench.table.row(job_id, "state") == '"before"'


def test_progress_is_on_the_scoreboard_and_in_the_row_and_goes_with_the_job(bench: Bench) -> None:
    seen: list[tuple[float, str]] = []
    worker = bench.worker()

    def send_msg() -> None:
        current_job().progress(0.4, "resizing ü")
        seen.append((worker.record.progress, worker.record.progress_text))
        current_job().progress(7)
        seen.append((worker.record.progress, worker.record.progress_text))

    def next_one() -> None:
        seen.append((worker.record.progress, worker.record.progress_text))

    bench.task(send_msg)
    bench.task(next_one)
    job_id = work(bench, worker)
    work(bench, worker, task="next_one")
    assert seen == [(0.4, "resizing ü"), (1.0, ""), (-1.0, "")]
    assert bench.table.row(job_id, "progress") == "0.4 resizing ü"


def test_each_jobs_first_word_of_progress_is_in_its_row(bench: Bench) -> None:
    """However short a time ago another job has spoken."""

    def send_msg() -> None:
        current_job().progress(0.5)
        current_job().progress(0.6)

    bench.task(send_msg)
    worker = bench.worker()
    ids = [work(bench, worker) for _ in range(3)]
    assert [bench.table.row(job_id, "progress") for job_id in ids] == ["0.5"] * 3


def test_nobody_is_the_current_job_where_none_runs(bench: Bench) -> None:
    with pytest.raises(QsuperError, match="no job runs here"):
        current_job()


class Calls:
    """Hooks that note what they are told, in order."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def around(self, name: str) -> Callable[[CurrentJob], None]:
        def hook(job: CurrentJob) -> None:
            assert current_job() is job
            self.all.append(f"{name} {job.task}")

        return hook

    def failure(self, name: str) -> Callable[[CurrentJob, BaseException], None]:
        def hook(job: CurrentJob, error: BaseException) -> None:
            self.all.append(f"{name} {job.task} {error!r}")

        return hook


@pytest.fixture
def queue(bench: Bench) -> Queue:
    """What the bench's workers run."""
    queue = Queue(bench.table.url)
    bench.registry = queue.registry
    return queue


def test_hooks_are_called_around_a_job_the_widest_first(bench: Bench, queue: Queue) -> None:
    calls = Calls()
    # Declared in another order than they are called in.
    queue.after(calls.around("after all"))
    queue.on_failure(calls.failure("failed of all"))
    queue.before(calls.around("before all"))
    queue.before(calls.around("before mail"), queue="mail")
    queue.before(calls.around("before default"), queue="default")
    queue.on_failure(calls.failure("failed of mail"), queue="mail")

    @queue.task
    def good() -> None:
        calls.all.append("good itself")

    @queue.task
    def bad() -> None:
        raise Refused("no")

    good.after(calls.around("after good"))
    good.before(calls.around("before good"))
    bad.on_failure(calls.failure("failed of bad"))
    work(bench, task="good")
    assert calls.all == [
        "before all good",
        "before default good",
        "before good good",
        "good itself",
        "after all good",
        "after good good",
    ]
    calls.all.clear()
    work(bench, task="bad")
    assert calls.all == [
        "before all bad",
        "before default bad",
        "failed of all bad Refused('no')",
        "failed of bad bad Refused('no')",
        "after all bad",
    ]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_hooks_that_fail_change_nothing_and_are_logged(
    bench: Bench, queue: Queue, caplog: pytest.LogCaptureFixture, error: type[BaseException]
) -> None:
    calls = Calls()

    def break_down(*_: object) -> None:
        raise error("a broken hook")

    for add in (queue.before, queue.after, queue.on_failure):
        add(break_down)
    queue.before(calls.around("before"))
    queue.after(calls.around("after"))

    @queue.task
    def good() -> None:
        """Is done."""

    @queue.task
    def bad() -> None:
        raise Refused("no")

    assert bench.table.state(work(bench, task="good")) == State.DONE
    job_id = work(bench, task="bad")
    assert attempts(bench, job_id) == [(1, "failed", "Refused: no")]
    assert calls.all == ["before good", "after good", "before bad", "after bad"]
    assert caplog.text.count("break_down' failed") == 5


def test_on_failure_is_told_of_retries_and_burials_and_of_no_other_end(
    bench: Bench, queue: Queue
) -> None:
    told: list[str] = []
    queue.on_failure(lambda job, error: told.append(f"{job.task}: {error}"))
    for task in (
        raises(Discard("gone")),
        raises(Snooze(in_=60)),
        raises(Retry("later", in_=60)),
        raises(KeyboardInterrupt("now")),
    ):
        queue.task(name=f"t{len(queue.registry)}")(task)
    queue.task(name="t4", keep_result=True)(object)
    for number in range(5):
        work(bench, task=f"t{number}", param=None)
    assert [line.partition(" ")[0] for line in told] == ["t2:", "t3:", "t4:"]
    assert told[:2] == ["t2: later", "t3: now"]


@pytest.mark.parametrize(
    ("where", "state", "error"),
    [
        ("before", State.SCHEDULED, TIMED_OUT),
        ("after", State.DONE, None),
        ("on_failure", State.SCHEDULED, "Refused: no"),
    ],
)
def test_a_hook_that_hangs_is_cut_off_by_the_time_out(
    bench: Bench, queue: Queue, where: str, state: State, error: str | None
) -> None:
    """It runs in its job's own time; what the job has come to stays."""
    ended: list[float] = []

    def hang(*_: object) -> None:
        began = clock()
        try:
            time.sleep(30.0)
        finally:
            ended.append(clock() - began)

    getattr(queue, where)(hang)

    @queue.task(timeout=0.2)
    def send_msg() -> None:
        if where == "on_failure":
            raise Refused("no")

    job_id = work(bench)
    assert ended[0] < 25.0
    assert bench.table.state(job_id) == state
    kept = [text for _, _, text in attempts(bench, job_id)]
    assert [text.endswith(error) for text in kept] == ([True] if error else [])


def test_a_hook_that_hangs_after_the_time_out_has_struck_still_leaves_a_failed_attempt(
    bench: Bench, queue: Queue
) -> None:
    told: list[type[BaseException]] = []
    queue.on_failure(lambda _job, error: told.append(type(error)))

    @queue.task(timeout=0.2)
    def send_msg() -> None:
        time.sleep(30.0)

    job_id = work(bench)
    assert told == [SoftTimeout]
    assert attempts(bench, job_id) == [(1, "failed", TIMED_OUT)]


def test_a_time_out_ends_an_await_and_what_it_has_open(bench: Bench) -> None:
    closed: list[str] = []

    async def send_msg() -> None:
        async def beside() -> None:
            try:
                await asyncio.sleep(30.0)
            finally:
                closed.append("beside")

        task = asyncio.create_task(beside())
        try:
            await asyncio.sleep(30.0)
        finally:
            closed.append("itself")
        await task

    bench.task(send_msg, timeout=0.2)
    job_id = work(bench)
    assert attempts(bench, job_id) == [(1, "failed", TIMED_OUT)]
    assert sorted(closed) == ["beside", "itself"]


def test_async_jobs_follow_each_other_each_in_a_loop_of_its_own(bench: Bench) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def send_msg() -> int:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return len(loops)

    bench.task(send_msg, keep_result=True)
    worker = bench.worker()
    ids = [work(bench, worker) for _ in range(3)]
    assert [bench.table.row(job_id, "status", "result") for job_id in ids] == [
        (int(State.DONE), "1"),
        (int(State.DONE), "2"),
        (int(State.DONE), "3"),
    ]
    assert loops[0] is not loops[1] is not loops[2]
    assert all(loop.is_closed() for loop in loops)


@pytest.mark.parametrize(
    ("error", "state", "outcome"),
    [
        (Snooze(in_=60), State.SCHEDULED, None),
        (Retry("busy", in_=60), State.SCHEDULED, "failed"),
        (Discard("gone"), State.CANCELLED, "discarded"),
        (KeyboardInterrupt(), State.SCHEDULED, "failed"),
        (SystemExit(1), State.SCHEDULED, "failed"),
        (asyncio.CancelledError(), State.SCHEDULED, "failed"),
    ],
)
def test_what_a_coroutine_raises_means_the_same(
    bench: Bench, error: BaseException, state: State, outcome: str | None
) -> None:
    async def send_msg() -> None:
        await asyncio.sleep(0)
        raise error

    bench.task(send_msg)
    job_id = work(bench)
    assert bench.table.state(job_id) == state
    assert [kept[1] for kept in attempts(bench, job_id)] == ([outcome] if outcome else [])


TOO_OLD = "it has waited longer than its max_age"
LONG_AGO: dict[str, Any] = {"run_at": "2020-02-02 02:02:02"}


def test_a_row_older_than_its_max_age_is_discarded_unrun(bench: Bench) -> None:
    ran: list[int] = []

    def send_msg() -> None:
        ran.append(1)

    bench.task(send_msg)
    (old,) = bench.table.add(max_age=60.0, **LONG_AGO)
    (young,) = bench.table.add(max_age=60.0)
    (ageless,) = bench.table.add(**LONG_AGO)
    worker = bench.worker()
    worker.pace.size = 3
    for _ in range(3):
        run(worker)
    assert len(ran) == 2
    assert [bench.table.state(job_id) for job_id in (old, young, ageless)] == [
        State.CANCELLED,
        State.DONE,
        State.DONE,
    ]
    assert [kept[1:] for kept in attempts(bench, old)] == [("discarded", TOO_OLD)]


def test_a_task_says_how_old_its_jobs_may_be_where_the_row_does_not(bench: Bench) -> None:
    ran: list[int] = []

    def send_msg() -> None:
        ran.append(current_job().id)

    bench.task(send_msg, max_age=60.0)
    worker = bench.worker()
    old = work(bench, worker, **LONG_AGO)
    patient = work(bench, worker, max_age=1e9, **LONG_AGO)
    young = work(bench, worker)
    assert ran == [patient, young]
    assert bench.table.state(old) == State.CANCELLED
    assert [kept[1:] for kept in attempts(bench, old)] == [
        ("discarded", "it has waited longer than 60 s, its task's max_age")
    ]


def test_what_is_added_has_the_max_age_of_its_task_or_its_own(bench: Bench, queue: Queue) -> None:
    @queue.task(max_age=60)
    def send_msg() -> None:
        """Not run here."""

    jobs = [
        send_msg.add(),
        send_msg.options(max_age=5).add(),
        queue.add("send_msg"),
        queue.add("send_msg", max_age=7),
        queue.add("unknown_here"),
    ]
    assert [bench.table.row(job.id, "max_age") for job in jobs] == [60.0, 5.0, 60.0, 7.0, None]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_copy_that_a_job_forks_and_lets_return_writes_nothing(
    bench: Bench, queue: Queue, keeps: bool
) -> None:
    """Not its end, not in a transaction that both have, and no hook runs twice."""
    calls = Calls()
    queue.after(calls.around("after"))
    copies: list[int] = []

    def fork() -> str:
        if copy := os.fork():
            copies.append(copy)
            # Only when the copy has ended may it be too late for it.
            os.waitid(os.P_PID, copy, os.WEXITED | os.WNOWAIT)
        return "both return"

    @queue.task(keep_result=keeps)
    def plain() -> str:
        return fork()

    @queue.task(keep_result=keeps, transactional=True)
    def together(connection: Any) -> str:
        return fork()

    worker = bench.worker()
    for task in ("plain", "together"):
        job_id = work(bench, worker, task=task)
        assert bench.table.row(job_id, "status", "attempt") == (int(State.DONE), 1)
    assert [os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]) for copy in copies] == [0, 0]
    assert calls.all == ["after plain", "after together"]


def test_the_alarm_is_the_workers_again_after_a_job_that_took_it(bench: Bench) -> None:
    def take() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)

    def hang() -> None:
        time.sleep(30.0)

    bench.task(take)
    bench.task(hang, timeout=0.2)
    worker = bench.worker()
    work(bench, worker, task="take")
    assert attempts(bench, work(bench, worker, task="hang")) == [(1, "failed", TIMED_OUT)]
