"""A job that does not run, or has died, is explained, and mended, beside a daemon that works."""

import json
import subprocess
import threading
import time

from qsuper.states import State
from qsuper.store.claiming import claim
from qsuper.store.database import Database
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows

MANY = 100_000
PROBES = 2000


def reasons(daemon: Daemon, number: int) -> dict[str, str]:
    """What `qsuper why` says, by kind."""
    answer = daemon.cli("why", str(number), "--json")
    assert answer.returncode == 0, answer.stderr
    return {reason["kind"]: reason["text"] for reason in json.loads(answer.stdout)["reasons"]}


def paused(daemon: Daemon) -> bool:
    board = daemon.board()
    return board is not None and all(queue.paused for queue in board.queues())


def test_why_explains_each_stage_of_a_jobs_life(daemon: Daemon, rows: Rows) -> None:
    rows.add([(1, "work", {"n": 1})])
    assert list(reasons(daemon, 1)) == ["no daemon"]
    daemon.write_config(job={"backoff": {"base": 600, "cap": 600}})
    rows.add([(2, "hang_once", {"n": 2})])
    daemon.start()
    daemon.running(2)
    assert daemon.cli("pause", "default").returncode == 0
    daemon.wait_until(lambda: paused(daemon), "the pause is obeyed")
    found = reasons(daemon, 2)
    assert "with the worker" in found["running"]
    assert "its code has run for" in found["here"]
    rows.add([(3, "work", {"n": 3})])
    assert list(reasons(daemon, 3)) == ["paused"]
    assert daemon.cli("resume", "default").returncode == 0
    daemon.wait_until(lambda: rows.count(State.DONE) >= 2, "those that waited have run")
    assert "done" in reasons(daemon, 3)
    rows.add([(4, "raise_an_error", None)], max_attempts=2)
    daemon.wait_until(lambda: len(rows.attempts(4)) == 1, "its first attempt has failed")
    found = reasons(daemon, 4)
    assert "ValueError: no such recipient" in found["failed"]
    assert "the next attempt follows in " in found["backoff"]
    assert daemon.cli("run-now", "4").returncode == 0
    daemon.wait_until(lambda: rows.count(State.DEAD) == 1, "it is dead")
    assert "it died in attempt 2 of 2: ValueError: no such recipient" in reasons(daemon, 4)["died"]
    rows.add([(5, "no_such_task", None)])
    daemon.wait_until(lambda: rows.job(5)["status"] == State.SCHEDULED, "it is put off")
    assert "knows the task no_such_task" in reasons(daemon, 5)["unknown task"]
    rows.add([(6, "work", {"n": 6})], queue="mail")
    assert "has workers for queue mail" in reasons(daemon, 6)["no workers"]


def test_a_running_job_is_ended_and_waited_for(daemon: Daemon, rows: Rows) -> None:
    daemon.start()
    rows.add([(1, "hang_once", {"n": 1})], name="order:SN1")
    daemon.running(1)
    answer = daemon.cli("cancel", "--name", "order:SN1")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "is running: --running ends it" in answer.stderr
    answer = daemon.cli("cancel", "--name", "order:SN1", "--running", "--wait", "2m")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines() == [
        "order:SN1 is being ended",
        "1 job has ended and is cancelled",
    ]
    assert "ended on request" in reasons(daemon, 1)["cancelled"]
    assert rows.job(1)["status"] == State.CANCELLED


def test_a_hundred_thousand_dead_are_retried_while_others_claim(
    daemon: Daemon, rows: Rows, figures: Figures
) -> None:
    """Nobody works on the queue: what is ready is what the retry made so."""
    numbers = range(1, MANY + 1)
    rows.add(((number, "work", {"n": number}) for number in numbers), status=3)
    rows.add(((MANY + number, "work", None) for number in range(1, PROBES + 1)), queue="probe")
    assert daemon.cli("retry", "--all", "--dry-run").returncode == 0
    assert rows.count(State.DEAD) == MANY
    retry = threading.Thread(target=lambda: answers.append(daemon.cli("retry", "--all", "--yes")))
    answers: list[subprocess.CompletedProcess[str]] = []
    took: list[float] = []
    connection = Database(rows.url).connect()
    began = time.monotonic()
    retry.start()
    while retry.is_alive() and len(took) < PROBES:
        start = time.monotonic()
        assert claim(connection, queue="probe", worker="probe-1").jobs
        took.append(time.monotonic() - start)
        retry.join(0.01)
    retry.join()
    whole = time.monotonic() - began
    connection.close()
    assert answers[0].stdout == f"{MANY:,} dead jobs will run again\n"
    assert rows.count(State.READY) == MANY + PROBES - len(took)
    took.sort()
    figures(
        retried=MANY,
        seconds=whole,
        claims_meanwhile=len(took),
        median_claim_ms=1000 * took[len(took) // 2],
        worst_claim_ms=1000 * took[-1],
    )
    start = time.monotonic()
    assert "more than 10,000 ready jobs" in reasons(daemon, MANY)["behind"]
    figures(why_ms=1000 * (time.monotonic() - start))
