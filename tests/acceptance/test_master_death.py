"""The master is killed: nothing of it stays, nothing is lost, and only one works at a time."""

import time

import pytest

from tests.acceptance import process_table
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.load import Load, wait_for_progress
from tests.acceptance.reigns import overlapping_reigns, reigns_of, signed
from tests.acceptance.rows import Rows

APP = "tests.acceptance.trees_app:queue"
WORKERS = 8
PROMISE = 2.0
"""Seconds after which nothing of a dead master is left."""


class Tree:
    """All that a master has started, as the process table had it when it was looked at last."""

    def __init__(self, daemon: Daemon) -> None:
        board = daemon.board()
        assert board is not None
        self.nonce = board.header.nonce
        self._master = daemon.pid
        self._seen = process_table.family(self._master) | process_table.tagged(self.nonce)

    def look(self) -> int:
        """Look again; how many there are."""
        self._seen |= process_table.family(self._master) | process_table.tagged(self.nonce)
        return len(process_table.living(self._seen))

    def left(self) -> list[str]:
        living = process_table.living(self._seen | process_table.tagged(self.nonce))
        return [str(process) for process in living]

    def end(self) -> None:
        process_table.end(self._seen | process_table.tagged(self.nonce))


def kill_master(daemon: Daemon, tree: Tree, figures: Figures) -> None:
    """SIGKILL under load, and two seconds later the process table is empty."""
    processes = tree.look()
    killed_at = time.monotonic()
    daemon.kill_master()
    try:
        daemon.wait_until(lambda: not tree.left(), "nothing of the master is left", timeout=20)
    finally:
        left = tree.left()
        tree.end()
    seconds = time.monotonic() - killed_at
    figures(processes=processes, left=len(left), gone_after=seconds)
    assert seconds < PROMISE


@pytest.mark.parametrize(
    "task", ["wait_for_program", "leave_a_daemon", "match_for_ever", "hold_the_interpreter"]
)
def test_a_killed_master_leaves_no_process(
    mariadb_daemon: Daemon, mariadb_rows: Rows, figures: Figures, task: str
) -> None:
    daemon = mariadb_daemon
    daemon.write_config(app=APP, queues={"default": {"workers": WORKERS}})
    load = Load(mariadb_rows)
    job = load.add_job(task)
    load.add(1500)
    daemon.start()
    daemon.running(job)
    programs = {"wait_for_program": 1, "leave_a_daemon": 1, "hold_the_interpreter": 1}
    tree = Tree(daemon)
    daemon.wait_until(
        lambda: tree.look() >= WORKERS + 2 + programs.get(task, 0), "the job's program runs"
    )
    wait_for_progress(daemon)
    kill_master(daemon, tree, figures)
    daemon.start()
    load.wait_until_done(daemon)
    load.judge(daemon, figures)
    assert not overlapping_reigns(reigns_of(daemon.events(), signed(daemon.journal)))
    assert daemon.stop() == 0
