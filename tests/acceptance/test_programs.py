"""Programs as tasks of a real daemon, on each engine."""

import json
import time
from collections.abc import Iterator

import psutil
import pytest

from qsuper.scoreboard import clock
from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.process_table import end, living, tagged, variable
from tests.acceptance.programs import PROGRAMS
from tests.acceptance.rows import Rows

TREE = 6
"""Processes of the tree: the program, its child, a shell with a grandchild, a daemon with one."""
TIME = 5.0
"""Seconds in which a tree is grown."""


def program(name: str, **settings: object) -> dict[str, object]:
    return {"program": ["sh", str(PROGRAMS / name)], "max_attempts": 1, **settings}


@pytest.fixture
def program_daemon(daemon: Daemon) -> Iterator[Daemon]:
    """Four workers that know the programs."""
    daemon.write_config(
        app="tests.acceptance.programs_app:queue",
        job={"backoff": {"base": 0.1, "cap": 1}},
        tasks={
            "tree": program("tree.sh"),
            "orphan": program("orphan.sh"),
            "report": program("report.sh", max_attempts=2),
            "later": program("later.sh", codec="raw"),
            "absent": {"program": ["no-such-program"], "max_attempts": 1},
            "query": program("orphan.sh", codec="query"),
        },
    )
    yield daemon
    board = daemon.board()
    if board is not None:
        end(tagged(board.header.nonce))


def family(daemon: Daemon) -> set[psutil.Process]:
    board = daemon.board()
    assert board is not None
    return living(tagged(board.header.nonce))


def waits_for_end(daemon: Daemon, rows: Rows, number: int) -> State:
    def ended() -> bool:
        return rows.job(number)["status"] in (State.DONE, State.DEAD, State.CANCELLED)

    daemon.wait_until(ended, f"job {number} ends")
    return State(rows.job(number)["status"])


@pytest.mark.parametrize("task", ["tree", "grow_a_tree"], ids=["a program", "a Python task"])
def test_a_job_that_is_timed_out_leaves_nothing_of_its_tree(
    program_daemon: Daemon, rows: Rows, task: str, figures: Figures
) -> None:
    daemon = program_daemon
    daemon.start()
    rows.add([(1, task, None)], timeout=TIME, max_attempts=1)
    daemon.wait_until(lambda: len(family(daemon)) >= TREE, "the tree is grown")
    worker = daemon.worker_of(1)
    assert worker is not None
    over = worker.began + TIME
    daemon.wait_until(lambda: not family(daemon), "nothing is left of it")
    figures(left_after_the_time_out=clock() - over)
    assert waits_for_end(daemon, rows, 1) is State.DEAD
    ((_, outcome, error),) = rows.attempts(1)
    assert (outcome, error) == ("dead", "ran longer than its time-out")


def test_the_end_of_a_job_that_is_timed_out_is_written_when_its_tree_is_gone(
    program_daemon: Daemon, rows: Rows
) -> None:
    """As soon as the row says so, not a moment later."""
    daemon = program_daemon
    daemon.start()
    count = 4
    rows.add([(n, "tree", None) for n in range(1, count + 1)], timeout=TIME, max_attempts=1)
    daemon.wait_until(lambda: len(family(daemon)) >= TREE, "a tree is grown")
    board = daemon.board()
    assert board is not None
    checked: set[int] = set()

    def all_checked() -> bool:
        dead = {n for n in range(1, count + 1) if rows.job(n)["status"] == State.DEAD}
        left = {variable(process, "QSUPER_JOB_ID") for process in family(daemon)}
        assert not {str(n) for n in dead} & left
        checked.update(dead)
        return len(checked) == count

    daemon.wait_until(all_checked, "all are dead")


def test_a_program_that_exits_3_is_never_done_beside_adopted_orphans(
    program_daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    daemon = program_daemon
    daemon.start()
    began = time.monotonic()
    rows.add([(n, "orphan", "3") for n in range(1, 1001)])
    rows.add([(n, "orphan", "0") for n in range(1001, 1101)])
    daemon.wait_until(lambda: rows.count(State.DEAD, State.DONE) == 1100, "all have ended")
    failed = rows.run("SELECT COUNT(*) FROM queue WHERE status = 3 AND id <= 1000")[0][0]
    done = rows.run("SELECT COUNT(*) FROM queue WHERE status = 1 AND id > 1000")[0][0]
    errors = {row[0] for row in rows.run("SELECT DISTINCT error FROM attempts")}
    figures(
        failed=f"{failed} of 1000",
        done=f"{done} of 100",
        jobs_a_second=1100 / (time.monotonic() - began),
    )
    assert (failed, done) == (1000, 100)
    assert errors == {"exited with 3"}


def test_what_a_program_says_reaches_the_row_the_log_and_the_next_attempt(
    program_daemon: Daemon, rows: Rows
) -> None:
    daemon = program_daemon
    daemon.start()
    number = int(daemon.cli("add", "report", '{"size": 3}').stdout)
    assert waits_for_end(daemon, rows, number) is State.DONE
    (result,) = rows.run("SELECT result FROM queue WHERE id = :id", id=number)[0]
    assert json.loads(result) == {"param": {"size": 3}, "state": {"page": 5}}
    sql = "SELECT outcome, error, output FROM attempts WHERE job_id = :id"
    ((outcome, error, output),) = rows.run(sql, id=number)
    assert (outcome, error) == ("failed", "exited with 3")
    assert output == f"page none of job {number}, attempt 1\nno ink\n"
    lines = [line for line in daemon.log().splitlines() if "no ink" in line]
    assert len(lines) == 1
    assert str(number) in lines[0]
    assert "half way" not in daemon.log()


def test_a_program_that_wants_to_run_later_burns_no_attempt(
    program_daemon: Daemon, rows: Rows
) -> None:
    daemon = program_daemon
    daemon.start()
    file = daemon.folder / "is there"
    rows.add([(1, "later", str(file))])
    daemon.wait_until(lambda: rows.job(1)["claims"] > 3, "it has been put off three times")
    file.touch()
    assert waits_for_end(daemon, rows, 1) is State.DONE
    assert rows.job(1)["attempt"] == 1
    assert rows.attempts(1) == []


def test_a_worker_that_is_killed_takes_its_program_with_it(
    program_daemon: Daemon, rows: Rows
) -> None:
    daemon = program_daemon
    daemon.start()
    rows.add([(1, "tree", None)], max_attempts=1)
    daemon.wait_until(lambda: len(family(daemon)) >= TREE, "the tree is grown")
    worker = daemon.worker_of(1)
    assert worker is not None
    daemon.kill(worker)
    daemon.wait_until(lambda: not family(daemon), "nothing is left of it")
    assert waits_for_end(daemon, rows, 1) is State.DEAD
    ((_, _, error),) = rows.attempts(1)
    assert "SIGKILL" in error


def test_a_master_that_is_killed_takes_its_programs_with_it(
    program_daemon: Daemon, rows: Rows
) -> None:
    daemon = program_daemon
    daemon.start()
    rows.add([(1, "tree", None)])
    daemon.wait_until(lambda: len(family(daemon)) >= TREE, "the tree is grown")
    daemon.kill_master()
    daemon.wait_until(lambda: not family(daemon), "nothing is left of it")


def test_a_program_that_is_not_there_is_said_at_the_start_by_check_and_by_its_job(
    program_daemon: Daemon, rows: Rows
) -> None:
    daemon = program_daemon
    checked = daemon.cli("check")
    assert checked.returncode == 1
    assert "programs  absent: no-such-program is in no folder of PATH" in checked.stdout
    daemon.start()
    daemon.wait_until(lambda: "absent: no-such-program is in" in daemon.log(), "it is logged")
    rows.add([(1, "absent", None)])
    assert waits_for_end(daemon, rows, 1) is State.DEAD
    ((_, _, error),) = rows.attempts(1)
    assert error.startswith("no-such-program is in no folder of PATH")


def test_params_are_checked_by_the_codec_of_the_program(program_daemon: Daemon) -> None:
    refused = program_daemon.cli("add", "report", "{")
    assert refused.returncode == 1
    assert "not JSON" in refused.stderr
    for task, param in (("report", '{"size": 3}'), ("query", "uid=4&uids[]=6"), ("later", "{")):
        added = program_daemon.cli("add", task, param)
        assert (added.returncode, added.stderr) == (0, "")


def test_rows_name_scripts_of_the_folder_and_nothing_else(daemon: Daemon, rows: Rows) -> None:
    """Each script makes a file named like its job, where it runs."""
    scripts = daemon.folder / "cron"
    (scripts / "sub").mkdir(parents=True)
    script = 'echo "$1" > "ran.$QSUPER_JOB_ID"\n'
    for path in ("cron/send_msg.sh", "cron/sub/x.sh", "cron/x.txt", "outside.sh"):
        (daemon.folder / path).write_text(script)
    (scripts / "out.sh").symlink_to(daemon.folder / "outside.sh")
    daemon.write_config(
        app="tests.acceptance.programs_app:queue",
        scripts={"dir": "cron", "interpreters": {".sh": ["sh"]}, "codec": "query"},
    )
    known = ["send_msg.sh", "sub/x.sh"]
    unknown = ["x.txt", "out.sh", "../outside.sh", "sub/../../outside.sh", "sh", "gone.sh"]
    unknown += [str(scripts / "send_msg.sh"), "send_msg.sh; touch hacked", "-c touch hacked.sh"]
    tasks = [*known, *unknown]
    rows.add([(n, task, "uid=4&a[]=`id`") for n, task in enumerate(tasks, 1)])
    added = daemon.cli("add", "send_msg.sh", "uid=4&uids[]=6")
    assert (added.returncode, added.stderr) == (0, "")
    number = int(added.stdout)
    daemon.start()
    for n in (1, 2, number):
        assert waits_for_end(daemon, rows, n) is State.DONE
    daemon.wait_until(lambda: rows.count(State.SCHEDULED) == len(unknown), "all others are put off")
    assert (scripts / "ran.1").read_text() == "uid=4&a[]=`id`\n"
    assert {path.name for path in scripts.glob("ran.*")} == {"ran.1", "ran.2", f"ran.{number}"}
    assert not list(daemon.folder.rglob("hacked*"))
    assert daemon.cli("check").stdout.count("programs  ok: .sh in ") == 1
