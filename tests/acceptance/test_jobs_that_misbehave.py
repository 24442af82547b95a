"""Jobs that fork, await, or take the worker's alarm: one worker runs them all and lives on."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows

APP = "tests.acceptance.misbehaving_app:queue"
ENDED = (State.DONE, State.DEAD, State.SCHEDULED)


@pytest.fixture
def sqlite_daemon(folder: Path) -> Iterator[Daemon]:
    """One worker over a SQLite file, with the application that misbehaves."""
    url = f"sqlite:///{folder}/qsuper.db"
    daemon = Daemon(folder, url)
    daemon.write_config(app=APP, queues={"default": {"workers": 1}})
    yield daemon
    daemon.clean_up()


@pytest.fixture
def table(sqlite_daemon: Daemon) -> Rows:
    return Rows(sqlite_daemon.url)


def end_all(daemon: Daemon, rows: Rows, *tasks: str, **columns: float) -> list[State]:
    """Run one job of each task, in this order, in the same worker; how each has ended."""
    daemon.start()
    (worker,) = daemon.workers()
    name = worker.worker
    numbers = range(1, len(tasks) + 1)
    jobs = [(n, task, {"n": n}) for n, task in zip(numbers, tasks, strict=True)]
    rows.add(jobs, max_attempts=1, **columns)
    daemon.wait_until(lambda: rows.count(*ENDED) == len(tasks), "all have ended", timeout=60)
    assert [worker.worker for worker in daemon.workers()] == [name], "the worker lives on"
    assert [len(daemon.runs(n)) for n in numbers] == [1] * len(tasks)
    return [State(rows.job(n)["status"]) for n in numbers]


def test_what_a_job_forks_dies_of_the_signals_that_others_die_of(
    sqlite_daemon: Daemon, table: Rows
) -> None:
    """The worker's own handlers would make `terminate` nothing but a note, and `join` endless."""
    tasks = ["terminate_a_child", "terminate_a_newborn_child", "use_a_pool", "work"]
    assert end_all(sqlite_daemon, table, *tasks) == [State.DONE] * len(tasks)
    sqlite_daemon.wait_until(sqlite_daemon.idle, "the worker is idle")


def test_a_coroutine_function_is_awaited(sqlite_daemon: Daemon, table: Rows) -> None:
    ends = end_all(sqlite_daemon, table, "pause", "pause_and_fail")
    assert ends == [State.DONE, State.DEAD]
    assert [run.ended is not None for run in sqlite_daemon.runs(1)] == [True]
    ((_, _, error),) = table.attempts(2)
    assert error == "ValueError: awaited and refused"


def test_a_job_that_takes_the_alarm_does_not_make_the_next_one_endless(
    sqlite_daemon: Daemon, table: Rows
) -> None:
    ends = end_all(sqlite_daemon, table, "take_the_alarm", "hang", "work", timeout=1.0)
    assert ends == [State.DONE, State.DEAD, State.DONE]
    ((_, _, error),) = table.attempts(2)
    assert error == "ran longer than its time-out"


def test_jobs_that_leave_orphans_are_done(sqlite_daemon: Daemon, table: Rows) -> None:
    assert end_all(sqlite_daemon, table, *["leave_an_orphan"] * 5) == [State.DONE] * 5


def test_a_cron_pass_goes_on_in_a_fresh_process_after_a_job_that_spoilt_its_own(
    sqlite_daemon: Daemon, table: Rows
) -> None:
    jobs = ["behave", "leave_threads", "behave", "take_the_stacks_signal", "behave"]
    table.add([(n, task, {"n": n}) for n, task in enumerate(jobs, 1)])
    done = sqlite_daemon.cli("work", "--slice", "0/1")
    assert done.returncode == 0, done.stderr
    assert table.count(State.DONE) == len(jobs)
    assert [len(sqlite_daemon.runs(n)) for n in range(1, 6)] == [1] * 5
    assert len({run.pid for run in sqlite_daemon.runs()}) == 3
    log = sqlite_daemon.log()
    assert "replaced, for it cannot put back what it leaves: 1" in log
    assert "cannot put back what it leaves: the handler of SIGUSR2" in log


GOOD = 200
BAD: dict[str, tuple[State, str | None]] = {
    "return_an_object": (State.DEAD, "what the task returned cannot be written as JSON: Object of"),
    "return_a_lock": (State.DONE, None),
    "raise_a_base_exception": (State.DEAD, "BaseException: not even an Exception"),
    "interrupt_itself": (State.DEAD, "KeyboardInterrupt"),
    "exit_the_generator": (State.DEAD, "GeneratorExit"),
    "exit_with_success": (State.DEAD, "SystemExit: 0"),
    "exit_at_once_0": (State.DEAD, "its worker exited with 0 while this job ran"),
    "exit_at_once_10": (State.DEAD, "its worker made room for a fresh one (exit 10) while this"),
    "exit_at_once_11": (State.DEAD, "its worker could not boot (exit 11) while this job ran"),
    "exit_at_once_12": (State.DEAD, "its worker exited with 12 while this job ran"),
    "crash": (State.DEAD, "its worker was killed by SIGSEGV while this job ran"),
    "ask_itself_to_stop": (State.DONE, None),
    "return_twice": (State.DONE, None),
    "leave_a_child": (State.DONE, None),
    "steal_statuses": (State.DONE, None),
    "go_away": (State.DONE, None),
    "remove_the_ground": (State.DONE, None),
    "mask_everything": (State.DONE, None),
    "take_all_signals": (State.DONE, None),
    "take_the_stacks_signal": (State.DONE, None),
    "block_all_signals": (State.DONE, None),
    "set_a_deadly_timer": (State.DONE, None),
    "speak_in_tongues": (State.DONE, None),
    "redecorate": (State.DONE, None),
    "twist_the_interpreter": (State.DONE, None),
    "be_silent": (State.DONE, None),
    "be_nice": (State.DONE, None),
    "be_modest": (State.DONE, None),
    "leave_threads": (State.DONE, None),
    "leave_files": (State.DONE, None),
    "flood": (State.DONE, None),
    "print_many_lines": (State.DONE, None),
    "close_the_descriptors": (State.DONE, None),
    "take_the_descriptors": (State.DONE, None),
    "detach_the_output": (State.DONE, None),
    "close_everything": (State.DEAD, "finished, outcome not recorded: its worker exited with 1"),
}
"""Each misbehaviour, how its job ends, and what its one attempt says."""
LOG_MOST = 3_000_000
"""Bytes of the whole log: a flood of 20 MB leaves its end."""


def test_every_misbehaviour_among_two_hundred_good_jobs_in_one_worker(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon.write_config(app=APP, queues={"default": {"workers": 1}})
    bad = dict(zip(range(3, GOOD, GOOD // len(BAD)), BAD, strict=False))
    assert len(bad) == len(BAD)
    numbers = range(1, GOOD + len(BAD) + 1)
    good = [n for n in numbers if n not in bad]
    assert len(good) == GOOD
    daemon.start()
    rows.add([(n, bad.get(n, "behave"), {"n": n}) for n in numbers], max_attempts=1)
    daemon.wait_until(lambda: rows.count(*ENDED) == len(numbers), "all have ended", timeout=300)

    for n, task in bad.items():
        state, words = BAD[task]
        told = [error for _, _, error in rows.attempts(n)]
        assert (task, State(rows.job(n)["status"])) == (task, state), told
        assert [(task, error[: len(words or "")]) for error in told] == [(task, words)] * len(told)
        assert len(told) == (state is State.DEAD), task
    assert [n for n in good if rows.job(n)["status"] != State.DONE] == []
    runs = daemon.runs()
    assert Counter(run.number for run in runs) == Counter(numbers), "each has run once"

    assert _changed(rows) == {}
    output = _output(daemon.log())
    assert {n: output.get(n) for n in good if output.get(n) != _said_by(n)} == {}
    assert len(daemon.log()) < LOG_MOST
    figures(
        good_jobs=len(good),
        misbehaviours=len(bad),
        workers=len({run.pid for run in runs}),
        log_bytes=len(daemon.log()),
    )
    assert daemon.stop() == 0


def test_the_check_sees_what_jobs_leave_where_nothing_is_put_back(
    sqlite_daemon: Daemon, table: Rows
) -> None:
    """The negative control."""
    sqlite_daemon.write_config(
        app="tests.acceptance.unkempt_app:queue", queues={"default": {"workers": 1}}
    )
    left = {"go_away": "folder", "mask_everything": "umask", "take_all_signals": "terminates"}
    tasks = ["behave", *(task for each in left for task in (each, "behave"))]
    assert set(end_all(sqlite_daemon, table, *tasks)) == {State.DONE}
    seen = list(left.values())
    assert _changed(table) == {3: seen[:1], 5: seen[:2], 7: [*seen, "reaps"]}


def _changed(rows: Rows) -> dict[int, list[str]]:
    """What well-behaved jobs have found otherwise than the first of them."""
    found = rows.run("SELECT id, result FROM queue WHERE task = 'behave' ORDER BY id")
    seen = {n: json.loads(result) for n, result in found}
    first = seen[1]
    changes = {n: [what for what in first if one[what] != first[what]] for n, one in seen.items()}
    return {n: what for n, what in changes.items() if what}


def _said_by(n: int) -> list[str]:
    return [
        f"{how}: {n}"
        for how in ("and said so", "by a child", "logged", "to descriptor 1", "well behaved")
    ]


def _output(log: str) -> dict[int, list[str]]:
    """What the log has of each well-behaved job, but the worker's own words; every line whole."""
    said: dict[int, list[str]] = {}
    for line in log.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\d [\d:.]{12} (info |warn |error|crit ) ", line), line
        if found := re.search(r" job=(\d+) attempt=\d+ (?:worker=\S+ )?task=behave (.*)", line):
            said.setdefault(int(found[1]), []).append(found[2])
    own = re.compile(r"done in [\d.]+ ms")
    return {n: sorted(one for one in lines if not own.fullmatch(one)) for n, lines in said.items()}
