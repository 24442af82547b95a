"""The worst at each named moment of a job's life: every case with the end it must come to.

One job; one worker until the moment has come (of two the wrong one could be hit), then a second
one beside it. `kill` is SIGKILL of the worker at that moment, `stop` SIGSTOP of it, `cut` the loss
of its connection with the statement's outcome unknown.
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from qsuper.failpoint import POINTS
from qsuper.states import State
from tests.acceptance import journal
from tests.acceptance.daemon import Daemon, alive
from tests.acceptance.figures import Figures
from tests.acceptance.journal import runs_of
from tests.acceptance.rows import Rows

JOB = 1
TIMEOUT = 1.0
"""Seconds the job may run; the master ends a worker that is stopped in it some 2 s later."""
SIGKILL, TIME_OUT, CUT = "killed by SIGKILL", "its time-out of 1 s was over", "ConnectionCut"
IN_TRANSACTION = "the database, in the job's transaction"


@dataclass(frozen=True)
class End:
    """What the job comes to. It is done in every case: that is the promise."""

    point: str
    action: str
    attempts: int
    """Counted on the row."""
    claims: int
    runs: int
    """Begins in the journal."""
    error: str | None = None
    """Of the one failed attempt, if one is recorded."""
    why: str = ""


ENDS = (
    End("candidates-read", "kill", 1, 1, 1, why="it had only looked"),
    End("candidates-read", "stop", 1, 1, 1, why="the other worker takes it, the claim is refused"),
    End("candidates-read", "cut", 1, 1, 1, why="it had only looked"),
    End("claim-sent", "kill", 1, 2, 1, why="its code had not begun: given back un-counted"),
    End("claim-sent", "stop", 1, 1, 1, why="it is its worker's until that goes on"),
    End("claim-sent", "cut", 1, 2, 1, why="the look for strays gives it back un-counted"),
    End("claimed", "kill", 1, 2, 1, why="its code had not begun: given back un-counted"),
    End("claimed", "stop", 1, 1, 1, why="it is its worker's until that goes on"),
    End("claimed", "cut", 1, 2, 1, why="the look for strays gives it back un-counted"),
    End("in-code", "kill", 2, 2, 1, SIGKILL, "the attempt counts, its cause is recorded"),
    End("in-code", "stop", 2, 2, 1, TIME_OUT, "the master kills the worker"),
    End("in-code", "cut", 2, 2, 1, CUT, "an error of the job's like any other"),
    End("code-returned", "kill", 2, 2, 2, SIGKILL, "at least once: nobody knows that it ended"),
    End("code-returned", "stop", 2, 2, 2, TIME_OUT, "the master kills the worker"),
    End("code-returned", "cut", 2, 2, 2, CUT, "an error of the job's like any other"),
    End("ack-sent", "kill", 1, 1, 1, why="the ack is written"),
    End("ack-sent", "stop", 1, 1, 1, why="the ack is written"),
    End("ack-sent", "cut", 1, 1, 1, why="the second ack finds nothing left to do"),
    End("give-back-sent", "kill", 1, 2, 2, why="it was given back un-counted"),
    End("give-back-sent", "stop", 1, 2, 2, why="it was given back un-counted"),
    End("give-back-sent", "cut", 1, 2, 2, why="it was given back un-counted"),
    End("before-end", "kill", 2, 2, 2, SIGKILL, "nothing was committed"),
    End("before-end", "stop", 2, 2, 2, TIME_OUT, "the master kills the worker"),
    End("before-end", "cut", 2, 2, 2, IN_TRANSACTION, "nothing was committed"),
    End("before-commit", "kill", 2, 2, 2, SIGKILL, "its end was written and rolled back"),
    End("before-commit", "stop", 2, 2, 2, TIME_OUT, "the master kills the worker"),
    End("before-commit", "cut", 2, 2, 2, IN_TRANSACTION, "its end was written and rolled back"),
    End("committed", "kill", 1, 1, 1, why="its end was committed"),
    End("committed", "stop", 1, 1, 1, why="its end was committed, whoever kills the worker"),
    End("committed", "cut", 1, 1, 1, why="the guarded write of the failure finds it done"),
)
TRANSACTIONAL = ("before-end", "before-commit", "committed")
"""Moments in the life of a job that is committed with what it writes."""


def test_every_named_moment_has_its_three_cases() -> None:
    assert sorted((end.point, end.action) for end in ENDS) == sorted(
        (point, action) for point in POINTS for action in ("kill", "stop", "cut")
    )


@pytest.mark.parametrize("end", ENDS, ids=lambda end: f"{end.point}-{end.action}")
def test_a_job_survives(daemon: Daemon, rows: Rows, figures: Figures, end: End) -> None:
    marker = daemon.folder / "reached"
    daemon.write_config(queues={"default": {"workers": 1}}, job={"backoff": {"base": 0.1}})
    daemon.start(QSUPER_FAILPOINT=f"{end.point}:{end.action}@{marker}")
    (worker,) = daemon.workers()
    pid, ticks = worker.pid, worker.ticks
    if end.point == "give-back-sent":
        cut_a_job_short(daemon, rows, marker)
    else:
        task = "work_in_a_transaction" if end.point in TRANSACTIONAL else "work"
        rows.add([(JOB, task, {"n": JOB})], timeout=TIMEOUT)
        daemon.wait_until(marker.exists, f"{end.point} is reached")
        daemon.scale(2)
        if end.action == "stop":
            see_it_through(daemon, rows, end, pid)
    daemon.wait_until(lambda: rows.job(JOB)["status"] == State.DONE, "the job is done")
    if end.action == "kill":
        daemon.wait_until(lambda: not alive(pid, ticks), "the worker is dead")
    assert daemon.stop() == 0

    job, attempts, events = rows.job(JOB), rows.attempts(JOB), daemon.events()
    runs = runs_of(events)
    figures(attempts=job["attempt"], claims=job["claims"], runs=len(runs), why=end.why)
    assert (job["attempt"], job["claims"], len(runs)) == (end.attempts, end.claims, end.runs)
    assert not journal.lost([JOB], runs)
    assert not journal.overlapping(events)
    assert not journal.again_after_ack(rows.moves(), runs)
    if end.error is None:
        assert attempts == []
    else:
        ((attempt, outcome, error),) = attempts
        assert (attempt, outcome) == (1, "failed")
        assert end.error in error


def see_it_through(daemon: Daemon, rows: Rows, end: End, pid: int) -> None:
    """A worker is stopped: nobody else may touch what it holds, for as long as it is."""
    if end.error == TIME_OUT or end.point == "committed":
        # The master kills it once the job's time is over.
        return
    daemon.wait_until(lambda: is_stopped(pid), "the worker is stopped")
    daemon.wait_until(lambda: len(daemon.workers()) == 2, "a second worker is there")
    if end.point == "candidates-read":
        daemon.wait_until(lambda: rows.job(JOB)["status"] == State.DONE, "the other one does it")
    held = rows.job(JOB)
    looked = daemon.looked()
    # Long enough for everyone's chores: the look for strays, the sweep, the rescue.
    daemon.wait_until(lambda: daemon.looked() > looked + 1.5, "the scheduler has done its chores")
    assert rows.job(JOB) == held, "the job of a stopped worker has moved"
    os.kill(pid, signal.SIGCONT)
    daemon.wait_until(lambda: daemon.idle() == 2, "both workers rest again")


def cut_a_job_short(daemon: Daemon, rows: Rows, marker: Path) -> None:
    """`stop --now` gives the job in flight back; the next daemon runs it."""
    rows.add([(JOB, "hang_once", {"n": JOB})])
    daemon.wait_until(lambda: daemon.runs(JOB), "the job has begun")
    assert daemon.cli("stop", "--now").returncode == 0
    assert daemon.master is not None
    daemon.master.wait()
    assert marker.exists()
    assert (rows.job(JOB)["status"], rows.job(JOB)["attempt"]) == (State.READY, 0)
    daemon.start()


def is_stopped(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat[stat.rindex(")") + 2] == "T"
