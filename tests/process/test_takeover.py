"""One master at a time, never none: refusal, stand-by, hand-over, and what a dead one leaves."""

import os
import signal
import subprocess
import sys

import pytest

from tests.process.harness import TOP, Node, alive, ended
from tests.wait import wait_for


def test_a_killed_master_leaves_no_process(node: Node) -> None:
    master = node.start()
    pids = node.pids()
    assert len(pids) == 3
    master.kill()
    master.wait()
    wait_for(lambda: not [pid for pid in pids if alive(pid)], timeout=10)


def test_a_second_master_refuses_and_says_who_runs(node: Node) -> None:
    master = node.start()
    second = node.start(ready=False)
    _, said = second.communicate(timeout=30)
    assert second.returncode == 69
    assert f"pid {master.pid}" in said
    assert "for " in said
    assert node.works(master.pid)


def test_the_next_master_ends_a_daemon_of_the_last_ones_job(node: Node) -> None:
    node.switch("starts-daemon.default[0]")
    master = node.start()
    daemon = node.wait_for_daemon()
    node.unswitch("starts-daemon.default[0]")
    # Stopped, so that it cannot end the daemon itself when its master dies.
    os.kill(node.child("default[0]")["pid"], signal.SIGSTOP)
    master.kill()
    master.wait()
    assert alive(daemon.pid)
    node.start()
    assert alive(daemon.pid) is None


def test_the_next_master_ends_children_that_ignore_every_signal(node: Node) -> None:
    node.switch("ignores-everything.default[0]")
    master = node.start()
    stubborn = node.child("default[0]")["pid"]
    master.kill()
    master.wait()
    assert alive(stubborn)
    node.unswitch("ignores-everything.default[0]")
    following = node.start()
    assert alive(stubborn) is None
    assert f"killing pid {stubborn}" in node.log()
    assert node.works(following.pid)


def test_leftovers_are_found_without_a_scoreboard_too(node: Node) -> None:
    node.switch("ignores-everything.default[0]")
    node.switch("starts-daemon.default[1]")
    master = node.start()
    stubborn = node.child("default[0]")["pid"]
    daemon = node.wait_for_daemon()
    os.kill(node.child("default[1]")["pid"], signal.SIGSTOP)
    for switch in ("ignores-everything.default[0]", "starts-daemon.default[1]"):
        node.unswitch(switch)
    master.kill()
    master.wait()
    (node.state / "scoreboard").write_bytes(b"junk")
    node.start()
    assert alive(stubborn) is None
    assert alive(daemon.pid) is None
    assert "starting with an empty scoreboard" in node.log()


def test_a_reader_of_the_lock_file_is_no_leftover(node: Node) -> None:
    node.switch("ignores-everything.default[0]")
    master = node.start()
    with (node.state / "run.lock").open("rb") as file:
        reader = subprocess.Popen(["sleep", "600"], stdin=file)
    try:
        node.unswitch("ignores-everything.default[0]")
        master.kill()
        master.wait()
        node.start()
        assert reader.poll() is None
    finally:
        reader.kill()
        reader.wait()


def test_what_a_dead_masters_workers_held_is_settled_under_the_next(node: Node) -> None:
    node.switch("lazy")
    master = node.start()
    workers = {node.record(f"default[{number}]").worker for number in (0, 1)}
    master.kill()
    master.wait()
    node.unswitch("lazy")
    following = node.start()
    wait_for(lambda: node.settled().count("master died") == 2)
    assert all(worker in node.settled() for worker in workers)
    wait_for(lambda: len(list(node.board().records())) == 3)
    assert node.works(following.pid)


def test_a_standby_takes_over_when_the_first_one_is_killed(node: Node) -> None:
    master = node.start("--wait")
    second = node.start("--wait", ready=False)
    wait_for(lambda: "standing by" in node.log())
    assert node.works(master.pid)
    master.kill()
    master.wait()
    wait_for(lambda: node.works(second.pid), timeout=15)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_standby_that_is_told_to_stop_ends_with_0(node: Node, number: int) -> None:
    node.start("--wait")
    second = node.start("--wait", ready=False)
    wait_for(lambda: "standing by" in node.log())
    second.send_signal(number)
    assert ended(second) == 0


def test_stop_ends_every_master_that_stands_by_too(node: Node) -> None:
    masters = [node.start("--wait")]
    masters += [node.start("--wait", ready=False) for _ in range(2)]
    wait_for(lambda: node.log().count("standing by") == 2)
    node.switch("busy.default[0]")
    wait_for(lambda: node.record("default[0]").phase == 2)
    node.ask("stop")
    assert [ended(master) for master in masters[1:]] == [0, 0]
    node.unswitch("busy.default[0]")
    assert ended(masters[0]) == 0


def test_a_master_whose_parent_died_hands_over_to_the_one_that_stands_by(node: Node) -> None:
    program = [sys.executable, "-m", "tests.process.fake_node", str(node.folder), "--wait"]
    parent = subprocess.Popen(
        ["sh", "-c", '"$@" & wait', "sh", *program], env={**os.environ, "PYTHONPATH": str(TOP)}
    )
    first = 0
    try:
        first = wait_for(node.board_master)
        wait_for(lambda: node.works(first))
        parent.kill()
        parent.wait()
        second = node.start("--wait", ready=False)
        wait_for(lambda: node.works(second.pid))
        assert alive(first) is None
        assert "handing over" in node.log()
        assert "master died" not in node.settled()
    finally:
        parent.kill()
        parent.wait()
        if first and alive(first):
            os.kill(first, signal.SIGKILL)


def test_an_orphaned_master_without_a_standby_works_on(node: Node) -> None:
    program = [sys.executable, "-m", "tests.process.fake_node", str(node.folder), "--wait"]
    parent = subprocess.Popen(
        ["sh", "-c", '"$@" & wait', "sh", *program], env={**os.environ, "PYTHONPATH": str(TOP)}
    )
    first = 0
    try:
        first = wait_for(node.board_master)
        wait_for(lambda: node.works(first))
        parent.kill()
        parent.wait()
        posted = node.bulletin()["posted"]
        wait_for(lambda: node.bulletin()["posted"] > posted + 2)
        assert node.works(first)
        node.ask("stop")
        wait_for(lambda: alive(first) is None)
    finally:
        parent.kill()
        parent.wait()
        if first and alive(first):
            os.kill(first, signal.SIGKILL)
