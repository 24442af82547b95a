"""A time-out ends the job, whatever its code does about it, and all that it has started."""

import time
from collections.abc import Iterator

import pytest

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.journal import overlapping
from tests.acceptance.rows import Rows
from tests.acceptance.trees import Tree, end_trees

TIMEOUT = 1.0
WILLING = ("wait_for_it", "wait_for_a_deaf_one", "hop", "spread")
"""Their handler lets itself be ended; what it has started, not always."""
UNWILLING = (
    "swallow",
    "swallow_beside_a_deaf_one",
    "swallow_beside_a_hopping_one",
    "hold_the_interpreter",
    "block_the_alarm",
)
EFFECTS = "CREATE TABLE effects (n BIGINT)"


@pytest.fixture
def one_worker(daemon: Daemon) -> Iterator[Daemon]:
    """It runs jobs that do not want to end."""
    daemon.write_config(
        app="tests.acceptance.endings_app:queue", queues={"default": {"workers": 1}}
    )
    yield daemon
    daemon.clean_up()
    end_trees(daemon.journal)


def resisting(rows: Rows, *ways: str, **columns: object) -> dict[int, str]:
    """Enqueue a job of each way to resist."""
    jobs = dict(enumerate(ways, 1))
    rows.add(
        ((n, "resist", {"n": n, "how": how}) for n, how in jobs.items()),
        timeout=TIMEOUT,
        **columns,
    )
    return jobs


def watch_the_end(daemon: Daemon, rows: Rows, number: int) -> float:
    """See a job's tree grow, and end before its row leaves `running`; how many seconds after its
    time-out it was gone."""
    tree = Tree(daemon.journal, number)
    daemon.wait_until(tree.has_grown, f"the tree of job {number} has grown")

    def over() -> float | None:
        state = rows.job(number)["status"]
        # Looked at after the row: once that has moved, nothing may be left.
        if tree.lives():
            assert state == State.RUNNING, f"{State(state).word}, but its tree lives"
            return None
        return time.monotonic()

    gone = daemon.wait_until(over, f"the tree of job {number} is gone")
    assert gone is not None
    (run, *_) = daemon.runs(number)
    return gone - run.began / 1e9 - TIMEOUT


def test_the_checker_sees_a_row_that_moves_too_early(one_worker: Daemon, rows: Rows) -> None:
    resisting(rows, "wait_for_it")
    rows.run("UPDATE queue SET timeout = 0")
    one_worker.start()
    one_worker.wait_until(Tree(one_worker.journal, 1).has_grown, "its tree has grown")
    rows.run("UPDATE queue SET status = 3")
    with pytest.raises(AssertionError, match="dead, but its tree lives"):
        watch_the_end(one_worker, rows, 1)


@pytest.mark.parametrize("how", WILLING)
def test_nothing_of_a_job_is_left_when_its_row_moves(
    one_worker: Daemon, rows: Rows, figures: Figures, how: str
) -> None:
    resisting(rows, how, max_attempts=1)
    one_worker.start()
    (worker,) = one_worker.workers()
    pid = worker.pid
    figures(how=how, seconds_after_its_time_out=watch_the_end(one_worker, rows, 1))
    one_worker.wait_until(lambda: rows.job(1)["status"] == State.DEAD, "it is dead")
    ((_, outcome, error),) = rows.attempts(1)
    assert (outcome, error) == ("dead", "ran longer than its time-out")
    assert [worker.pid for worker in one_worker.workers()] == [pid], "its worker lives on"


@pytest.mark.parametrize("how", UNWILLING)
def test_a_job_that_will_not_end_is_killed_and_the_next_attempt_finds_nothing_of_it(
    one_worker: Daemon, rows: Rows, figures: Figures, how: str
) -> None:
    resisting(rows, how, max_attempts=2)
    one_worker.start()
    figures(how=how, seconds_after_its_time_out=watch_the_end(one_worker, rows, 1))
    one_worker.wait_until(lambda: rows.job(1)["status"] == State.DONE, "the next attempt is done")
    ((attempt, outcome, error),) = rows.attempts(1)
    assert (attempt, outcome) == (1, "failed")
    assert "time-out of 1 s was over and its worker was killed" in error
    assert overlapping(one_worker.events()) == []


def test_a_handler_that_waits_for_its_program_is_freed_by_the_programs_end(
    one_worker: Daemon, rows: Rows
) -> None:
    """It hears no alarm; a second later its program is sent TERM."""
    rows.add([(1, "wait_for_a_program", {"n": 1})], timeout=TIMEOUT, max_attempts=1)
    one_worker.start()
    (worker,) = one_worker.workers()
    pid = worker.pid
    one_worker.wait_until(lambda: rows.job(1)["status"] == State.DEAD, "it is dead")
    ((_, _, error),) = rows.attempts(1)
    assert error.startswith("ran longer than its time-out; CalledProcessError: ")
    assert "SIGTERM" in error
    assert [worker.pid for worker in one_worker.workers()] == [pid], "its worker lives on"


def test_a_coroutine_is_ended_too(one_worker: Daemon, rows: Rows) -> None:
    rows.add([(1, "wait_asynchronously", {"n": 1})], timeout=TIMEOUT, max_attempts=1)
    one_worker.start()
    one_worker.wait_until(lambda: rows.job(1)["status"] == State.DEAD, "it is dead")
    assert rows.attempts(1) == [(1, "dead", "ran longer than its time-out")]


def test_what_an_earlier_job_has_left_on_purpose_lives_on(one_worker: Daemon, rows: Rows) -> None:
    rows.add([(2, "leave_a_tree", {"n": 2})])
    one_worker.start()
    one_worker.wait_until(lambda: rows.job(2)["status"] == State.DONE, "it has left a tree")
    resisting(rows, "wait_for_a_deaf_one", max_attempts=1)
    watch_the_end(one_worker, rows, 1)
    one_worker.wait_until(lambda: rows.job(1)["status"] == State.DEAD, "it is dead")
    assert Tree(one_worker.journal, 2).lives()
    assert one_worker.stop() == 0
    one_worker.wait_until(
        lambda: not Tree(one_worker.journal, 2).lives(), "it ends with its worker"
    )


def test_what_a_transactional_task_wrote_before_its_time_out_is_rolled_back(
    one_worker: Daemon, rows: Rows
) -> None:
    rows.run(EFFECTS)
    rows.add([(1, "write_and_wait", {"n": 1})], timeout=TIMEOUT, max_attempts=1)
    one_worker.start()
    one_worker.wait_until(lambda: rows.job(1)["status"] == State.DEAD, "it is dead")
    assert rows.attempts(1) == [(1, "dead", "ran longer than its time-out")]
    assert len(one_worker.runs(1)) == 1
    assert rows.run("SELECT COUNT(*) FROM effects") == [(0,)]
