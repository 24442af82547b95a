"""What ends is replaced, and not hot."""

import os
import signal

import pytest

from qsuper.wire import Refused
from tests.process.harness import Node
from tests.wait import wait_for


def test_a_killed_worker_is_replaced_and_the_others_work_on(node: Node) -> None:
    node.start()
    before = {child["name"]: child["pid"] for child in node.children()}
    os.kill(before["default[0]"], signal.SIGKILL)
    wait_for(lambda: node.child("default[0]")["pid"] not in (0, before["default[0]"]))
    wait_for(lambda: node.state_of("default[0]") == "RUNNING")
    after = {child["name"]: child["pid"] for child in node.children()}
    assert after.keys() == before.keys()
    assert after["default[1]"] == before["default[1]"]
    assert node.child("default[0]")["restarts"] == 1
    assert node.child("default[0]")["last_exit"] == "killed by SIGKILL"


def test_the_record_of_a_dead_worker_stays_until_it_is_settled(node: Node) -> None:
    node.switch("lazy")
    node.start()
    record = node.record("default[0]")
    worker = record.worker
    os.kill(record.pid, signal.SIGKILL)
    wait_for(lambda: record.ended)
    wait_for(lambda: node.running() == 2)
    assert (record.used, record.worker, record.status) == (1, worker, signal.SIGKILL)
    node.unswitch("lazy")
    wait_for(lambda: not record.used)
    assert f"{worker} none 9" in node.settled()


def test_each_incarnation_has_a_name_of_its_own(node: Node) -> None:
    node.start()
    first = node.record("default[0]").worker
    os.kill(node.child("default[0]")["pid"], signal.SIGKILL)
    wait_for(lambda: node.child("default[0]")["restarts"] == 1)
    second = wait_for(lambda: node.child("default[0]")["pid"] and node.record("default[0]").worker)
    nonce = node.board().header.nonce
    assert first != second
    assert {one.rpartition("-")[0] for one in (first, second)} == {nonce}


def test_what_cannot_boot_becomes_fatal_and_a_restart_tries_it_at_once(node: Node) -> None:
    node.switch("cannot-boot.default[1]")
    node.start(ready=False)
    wait_for(lambda: node.state_of("default[1]") == "FATAL")
    assert node.state_of("default[0]") == "RUNNING"
    assert "could not boot" in node.child("default[1]")["last_exit"]
    assert node.child("default[1]")["retry_in"] > 30
    node.unswitch("cannot-boot.default[1]")
    node.ask("restart", name="default[1]")
    wait_for(lambda: node.running() == 2)


def test_a_worker_that_crashes_on_and_on_backs_off(node: Node) -> None:
    node.switch("crashes-in-boot.default[0]")
    node.start(ready=False)
    wait_for(lambda: node.board_master() and node.children())
    wait_for(lambda: node.child("default[0]")["restarts"] >= 3)
    long_wait = wait_for(lambda: (node.child("default[0]")["retry_in"] or 0) > 0.5)
    assert long_wait
    node.unswitch("crashes-in-boot.default[0]")
    wait_for(lambda: node.running() == 2)


def test_a_worker_that_recycles_is_replaced_without_a_backoff(node: Node) -> None:
    node.start()
    node.switch("recycle.default[0]")
    wait_for(lambda: node.child("default[0]")["restarts"] >= 5)
    node.unswitch("recycle.default[0]")
    wait_for(lambda: node.running() == 2)
    assert node.child("default[0]")["last_exit"] == "made room for a fresh one (exit 10)"


def test_an_error_nobody_expected_is_in_the_log_with_its_traceback(node: Node) -> None:
    node.start()
    node.switch("raise.default[0]")
    wait_for(lambda: node.child("default[0]")["last_exit"] == "exited with 1")
    node.unswitch("raise.default[0]")
    log = node.log()
    assert "a bug of the role" in log
    assert "Traceback" in log


def test_a_restart_by_name_drains_first_and_spares_the_others(node: Node) -> None:
    node.start()
    before = {child["name"]: child["pid"] for child in node.children()}
    node.switch("busy.default[0]")
    node.ask("restart", name="default[0]")
    wait_for(lambda: node.state_of("default[0]") == "STOPPING")
    assert node.child("default[0]")["pid"] == before["default[0]"]
    node.unswitch("busy.default[0]")
    wait_for(lambda: node.child("default[0]")["pid"] not in (0, before["default[0]"]))
    assert node.child("default[1]")["pid"] == before["default[1]"]
    with pytest.raises(Refused, match="no child 'default\\[9\\]'"):
        node.ask("restart", name="default[9]")


def test_a_killed_workers_daemon_is_dead_before_its_record_says_so(node: Node) -> None:
    node.switch("starts-daemon.default[0]")
    node.switch("lazy")
    node.start()
    daemon = node.wait_for_daemon()
    record = node.record("default[0]")
    node.unswitch("starts-daemon.default[0]")
    os.kill(record.pid, signal.SIGKILL)
    wait_for(lambda: record.ended)
    assert node.daemon() is None, daemon
