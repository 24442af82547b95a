"""The stop: drained, killed when it takes too long, settled, gone."""

import os
import signal

import pytest

from tests.process.harness import Node, alive, ended
from tests.wait import wait_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_waits_for_a_busy_worker_and_ends_with_0(node: Node, number: int) -> None:
    master = node.start()
    node.switch("busy.default[0]")
    wait_for(lambda: node.record("default[0]").phase == 2)
    master.send_signal(number)
    wait_for(lambda: node.state_of("default[1]") == "")
    assert node.state_of("default[0]") == "STOPPING"
    assert node.bulletin()["stopping"]
    node.unswitch("busy.default[0]")
    assert ended(master) == 0
    assert "none 0" in node.settled()
    assert "killing" not in node.log()


def test_a_worker_that_does_not_drain_in_time_is_killed_with_that_reason(node: Node) -> None:
    node.configure(stop_timeout=0.5)
    master = node.start()
    node.switch("busy")
    wait_for(lambda: node.record("default[0]").phase == 2)
    master.terminate()
    assert ended(master) == 0
    assert node.settled().count("stop 9") == 2


def test_a_second_interrupt_ends_the_drain(node: Node) -> None:
    master = node.start()
    node.switch("busy")
    wait_for(lambda: node.record("default[0]").phase == 2)
    master.send_signal(signal.SIGINT)
    wait_for(lambda: node.state_of("default[0]") == "STOPPING")
    master.send_signal(signal.SIGINT)
    assert ended(master) == 0
    assert node.settled().count("none 0") == 2


def test_a_quit_kills_what_does_not_stop_at_once(node: Node) -> None:
    node.switch("ignores-everything.default[0]")
    master = node.start()
    master.send_signal(signal.SIGQUIT)
    assert ended(master) == 0
    assert "stop 9" in node.settled()
    assert "none 0" in node.settled()


def test_who_settles_is_told_to_stop_only_after_the_others_are_settled(node: Node) -> None:
    master = node.start()
    node.switch("lazy")
    master.terminate()
    wait_for(lambda: not node.workers())
    assert node.state_of("settler") == "RUNNING"
    node.unswitch("lazy")
    assert ended(master) == 0
    assert node.settled().count("none 0") == 2


def test_nothing_is_left_after_a_stop(node: Node) -> None:
    node.switch("starts-daemon.default[0]")
    master = node.start()
    pids = node.pids() | {node.wait_for_daemon().pid}
    assert node.ask("stop") == {}
    assert ended(master) == 0
    assert not [pid for pid in pids if alive(pid)]
    assert not (node.state / "control.sock").exists()
    assert node.board().header.master_pid == 0


def test_stop_now_cuts_jobs_short(node: Node) -> None:
    master = node.start()
    node.switch("busy")
    wait_for(lambda: node.record("default[0]").phase == 2)
    node.ask("stop", now=True)
    assert ended(master) == 0
    assert node.settled().count("none 0") == 2


def test_a_worker_that_is_killed_while_draining_is_settled_and_not_replaced(node: Node) -> None:
    master = node.start()
    node.switch("busy.default[0]")
    wait_for(lambda: node.record("default[0]").phase == 2)
    master.terminate()
    wait_for(lambda: node.state_of("default[0]") == "STOPPING")
    wait_for(lambda: node.child("default[0]")["pid"])
    os.kill(node.child("default[0]")["pid"], signal.SIGKILL)
    assert ended(master) == 0
    assert "none 9" in node.settled()
