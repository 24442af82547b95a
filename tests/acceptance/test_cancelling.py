"""Cancelling jobs that run: their names are free only when nothing of them is left."""

import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import IntegrityError

from qsuper import Queue
from qsuper.errors import JobIsEnding
from qsuper.scoreboard import Scoreboard
from qsuper.states import State
from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.acceptance.trees import Tree, end_trees

JOBS = 200
WORKERS = 16
WAYS = (
    "wait_for_it",
    "swallow",
    "wait_for_a_deaf_one",
    "wait_for_it",
    "swallow_beside_a_deaf_one",
    "block_the_alarm",
    "wait_for_it",
    "hold_the_interpreter",
)
"""Each job in turn; most of them do not want to end."""
LATER = 86_400.0
"""Seconds: what takes a name over does not run in the test."""
LONG_LATER = "2037-01-01 00:00:00"


class Successors:
    """Adds the name of each job that is being cancelled again, in a loop, until that goes."""

    def __init__(self, daemon: Daemon, rows: Rows, queue: Queue) -> None:
        self._daemon = daemon
        self._rows = rows
        self._queue = queue
        self.seconds: dict[int, float] = {}
        """From the mark to the moment its name was free, by job."""
        self.too_early: list[int] = []
        """Jobs of which something lived when their name was free already."""
        self.refusals = 0

    def try_for(self, number: int, marked: float) -> bool:
        """Whether the name of job `number` could be had; what lives of it then is noted."""
        if not _TAKE[number % len(_TAKE)](self, number):
            self.refusals += 1
            return False
        if Tree(self._daemon.journal, number).lives():
            self.too_early.append(number)
        self.seconds[number] = time.monotonic() - marked
        return True

    def insert(self, number: int) -> bool:
        """As another program would."""
        try:
            self._rows.run(
                "INSERT INTO queue (task, name, run_at) VALUES ('work', :name, :later)",
                name=name_of(number),
                later=LONG_LATER,
            )
        except IntegrityError:
            return False
        return True

    def move(self, number: int) -> bool:
        try:
            self._queue.timer(name_of(number), LATER, "work", {"n": number})
        except JobIsEnding:
            return False
        return True

    def keep(self, number: int) -> bool:
        job = self._queue.add("work", {"n": number}, name=name_of(number), delay=LATER)
        return job.id != number


_TAKE: tuple[Callable[[Successors, int], bool], ...] = (
    Successors.insert,
    Successors.move,
    Successors.keep,
)


def name_of(number: int) -> str:
    return f"tree:{number}"


@pytest.fixture
def crew(daemon: Daemon) -> Iterator[Daemon]:
    """Workers with jobs that do not want to end."""
    daemon.write_config(
        app="tests.acceptance.endings_app:queue", queues={"default": {"workers": WORKERS}}
    )
    yield daemon
    daemon.clean_up()
    end_trees(daemon.journal)


def add_trees(rows: Rows, *ways: str) -> range:
    """Enqueue a named job of each way to resist."""
    numbers = range(1, len(ways) + 1)
    for number, how in zip(numbers, ways, strict=True):
        rows.add([(number, "resist", {"n": number, "how": how})], name=name_of(number))
    return numbers


def mark(rows: Rows, number: int) -> None:
    rows.run("UPDATE queue SET cancel = 1 WHERE id = :id AND status = 2", id=number)


def mark_on_board(daemon: Daemon, number: int) -> None:
    """What the scheduler does about a mark."""
    worker = daemon.worker_of(number)
    if worker is not None:
        board = Scoreboard.open(daemon.state / "scoreboard", write=True)
        record = board.record(worker.slot)
        record.cancel_claims, record.cancel = record.claims, number


def test_a_cancelled_jobs_name_is_free_only_when_nothing_of_it_is_left(
    crew: Daemon, rows: Rows, figures: Figures
) -> None:
    ways = [WAYS[number % len(WAYS)] for number in range(JOBS)]
    waiting = set(add_trees(rows, *ways))
    crew.start()
    successors = Successors(crew, rows, Queue(rows.url))
    marked: dict[int, float] = {}
    chance = random.Random(4)

    def all_ended() -> bool:
        for number in [one for one in waiting if Tree(crew.journal, one).has_grown()]:
            if chance.random() < 0.5:
                mark(rows, number)
                marked[number] = time.monotonic()
                waiting.remove(number)
        for number in list(marked):
            if successors.try_for(number, marked[number]):
                del marked[number]
        return not waiting and not marked

    crew.wait_until(all_ended, "every name is free", timeout=4 * PATIENCE)
    states = Counter(rows.job(number)["status"] for number in range(1, JOBS + 1))
    figures(
        jobs=JOBS,
        unwilling=sum(how != "wait_for_it" for how in ways),
        free_only_after_the_end=JOBS - len(successors.too_early),
        refused_before_that=successors.refusals,
        seconds_at_most=max(successors.seconds.values()),
    )
    assert successors.too_early == []
    assert states == {State.CANCELLED: JOBS}
    assert successors.refusals >= JOBS
    outcomes = rows.run("SELECT outcome, COUNT(DISTINCT job_id) FROM attempts GROUP BY outcome")
    assert outcomes == [("cancelled", JOBS)]
    assert len(crew.runs()) == JOBS, "none ran again"


def test_the_checker_sees_a_name_that_is_free_too_early(crew: Daemon, rows: Rows) -> None:
    add_trees(rows, *["wait_for_it"] * len(_TAKE))
    crew.start()
    successors = Successors(crew, rows, Queue(rows.url))
    for number in range(1, len(_TAKE) + 1):
        crew.wait_until(Tree(crew.journal, number).has_grown, "its tree has grown")
        mark(rows, number)
        assert not successors.try_for(number, time.monotonic())
        rows.run("UPDATE queue SET status = 5 WHERE id = :id", id=number)
        assert successors.try_for(number, time.monotonic())
    assert successors.too_early == [1, 2, 3]


def test_running_jobs_are_cancelled_by_id_by_name_and_from_python(
    crew: Daemon, rows: Rows, figures: Figures
) -> None:
    """Their state is `running` until the end; no hook takes that for a failure."""
    numbers = add_trees(rows, *["wait_for_a_deaf_one"] * 4)
    crew.start()
    pids = {worker.pid for worker in crew.workers()}
    queue = Queue(rows.url)
    for number in numbers:
        crew.wait_until(Tree(crew.journal, number).has_grown, "its tree has grown")
    assert crew.cli("cancel", "1").returncode == 1, "without --running it is let run"
    assert not queue.cancel(name_of(3))
    assert not queue.job(4).cancel()
    began = time.monotonic()
    assert crew.cli("cancel", "1", "--running").returncode == 0
    assert crew.cli("cancel", "--name", name_of(2), "--running").returncode == 0
    assert queue.cancel(name_of(3), running=True)
    assert queue.job(4).cancel(running=True)
    for number in numbers:
        tree = Tree(crew.journal, number)
        while (state := queue.job(number).state) is State.RUNNING:
            assert time.monotonic() - began < PATIENCE
            time.sleep(0.01)
        assert (state, tree.lives()) == (State.CANCELLED, False)
        assert queue.job(number).wait(PATIENCE) is State.CANCELLED
        assert rows.attempts(number) == [(1, "cancelled", "cancelled while it ran")]
    figures(seconds=time.monotonic() - began)
    assert {worker.pid for worker in crew.workers()} == pids, "their workers live on"
    assert list(crew.folder.glob("journal.failure.*")) == []


def test_a_cancel_ends_that_job_or_none_whenever_it_comes(
    crew: Daemon, rows: Rows, figures: Figures
) -> None:
    """Between two jobs, before the ack, in a batch: no worker dies of it, no job runs twice."""
    jobs = 400
    crew.write_config(queues={"default": {"workers": 4}})
    seconds = {n: 1.5 if n % 20 == 0 else n % 3 * 0.02 for n in range(1, jobs + 1)}
    rows.add((n, "work", {"n": n, "seconds": seconds[n]}) for n in seconds)
    crew.start()
    pids = {worker.pid for worker in crew.workers()}
    chance = random.Random(4)

    def all_ended() -> bool:
        ids = [row[0] for row in rows.run("SELECT id FROM queue WHERE status = 2")]
        if ids:
            mark(rows, chance.choice(ids))
        return rows.count(State.DONE, State.CANCELLED) == jobs

    crew.wait_until(all_ended, "all have ended")
    cancelled = {row[0] for row in rows.run("SELECT id FROM queue WHERE status = 5")}
    marked = {row[0] for row in rows.run("SELECT id FROM queue WHERE cancel = 1")}
    figures(jobs=jobs, marked=len(marked), cancelled=len(cancelled), done=jobs - len(cancelled))
    assert cancelled
    assert cancelled <= marked
    assert {worker.pid for worker in crew.workers()} == pids
    runs = Counter(run.number for run in crew.runs())
    assert all(count == 1 for count in runs.values())
    assert set(range(1, jobs + 1)) - set(runs) <= cancelled


def test_a_pass_of_cron_obeys_too(crew: Daemon, rows: Rows, figures: Figures) -> None:
    (number,) = add_trees(rows, "wait_for_a_deaf_one")
    command = crew.command("work", "--slice", "0/1")
    one_pass = subprocess.Popen(command, cwd=crew.folder, env=crew.environ)
    try:
        crew.wait_until(Tree(crew.journal, number).has_grown, "its tree has grown")
        mark(rows, number)
        began = time.monotonic()
        crew.wait_until(lambda: rows.job(number)["status"] != State.RUNNING, "it has ended")
        figures(seconds=time.monotonic() - began)
        assert not Tree(crew.journal, number).lives()
        assert rows.job(number)["status"] == State.CANCELLED
        assert one_pass.wait(PATIENCE) == 0, "".join(
            p.read_text() for p in crew.folder.rglob("*.log")
        )
    finally:
        one_pass.kill()
        one_pass.wait()


def test_a_coroutine_is_cancelled_too(crew: Daemon, rows: Rows) -> None:
    rows.add([(1, "wait_asynchronously", {"n": 1})])
    crew.start()
    pid = crew.running(1).pid
    mark(rows, 1)
    crew.wait_until(lambda: rows.job(1)["status"] == State.CANCELLED, "it is cancelled")
    assert pid in {worker.pid for worker in crew.workers()}, "its worker lives on"


def test_what_a_transactional_task_wrote_before_it_was_cancelled_is_rolled_back(
    crew: Daemon, rows: Rows
) -> None:
    """On SQLite nobody can write the mark while the task holds the one write lock."""
    rows.run("CREATE TABLE effects (n BIGINT)")
    rows.add([(1, "write_and_wait", {"n": 1})])
    crew.start()
    crew.wait_until(Tree(crew.journal, 1).has_grown, "its tree has grown")
    if rows.kind == "sqlite":
        asked = crew.cli("cancel", "1", "--running")
        assert (asked.returncode, asked.stdout) == (1, "")
        assert "locked" in asked.stderr
        assert len(asked.stderr.splitlines()) == 1

    def cancelled() -> bool:
        if rows.kind == "sqlite":
            mark_on_board(crew, 1)
        else:
            mark(rows, 1)
        return bool(rows.job(1)["status"] == State.CANCELLED)

    crew.wait_until(cancelled, "it is cancelled")
    assert not Tree(crew.journal, 1).lives()
    assert rows.run("SELECT COUNT(*) FROM effects") == [(0,)]
