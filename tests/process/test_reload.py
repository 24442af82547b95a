"""A reload replaces the children one by one, or changes nothing."""

import signal

import pytest

from qsuper.wire import Refused
from tests.process.harness import Node
from tests.wait import wait_for


def test_every_child_is_replaced_and_keeps_its_name(node: Node) -> None:
    master = node.start()
    before = {child["name"]: child["pid"] for child in node.children()}
    master.send_signal(signal.SIGHUP)
    wait_for(lambda: "every child has been replaced" in node.log())
    wait_for(lambda: len(node.children()) == 3)
    after = {child["name"]: child["pid"] for child in node.children()}
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    wait_for(lambda: node.settled().count("none 0") >= 2)


def test_a_broken_configuration_is_refused_and_the_old_one_stays(node: Node) -> None:
    node.start()
    pids = node.pids()
    node.switch("config.json", "{")
    with pytest.raises(Refused, match="reload refused, the old configuration stays"):
        node.ask("reload")
    wait_for(lambda: "reload refused" in node.texts())
    assert "reload refused" in node.log()
    assert node.pids() == pids
    node.configure(queues={"default": 2})
    node.ask("reload")
    wait_for(lambda: "reload refused" not in node.texts())


def test_a_replacement_that_cannot_boot_stops_the_reload_and_the_old_ones_stay(node: Node) -> None:
    node.start()
    pids = node.pids()
    node.switch("cannot-boot")
    node.ask("reload")
    wait_for(lambda: "reload stopped: the replacement of default[0]" in node.texts())
    wait_for(lambda: node.pids() == pids)
    node.unswitch("cannot-boot")
    node.ask("reload")
    wait_for(lambda: "every child has been replaced" in node.log())
    wait_for(lambda: node.texts() == "")


def test_nobody_leaves_before_its_replacement_has_booted(node: Node) -> None:
    node.start()
    pids = node.pids()
    node.switch("boots-slowly")
    node.ask("reload")
    wait_for(lambda: len(node.children()) == 4)
    wait_for(lambda: "STARTING" in [child["state"] for child in node.children()])
    assert pids < node.pids()
    node.unswitch("boots-slowly")
    wait_for(lambda: "every child has been replaced" in node.log())


def test_a_busy_worker_finishes_its_job_beside_its_replacement(node: Node) -> None:
    node.start()
    old = node.child("default[0]")["pid"]
    node.switch("busy.default[0]")
    wait_for(lambda: node.record("default[0]").phase == 2)
    node.ask("reload")
    wait_for(lambda: "every child has been replaced" in node.log())
    assert old in node.pids()
    node.unswitch("busy.default[0]")
    wait_for(lambda: old not in node.pids())
    wait_for(lambda: node.settled().count("none 0") >= 2)


def test_queues_come_and_go_with_the_configuration(node: Node) -> None:
    node.start()
    node.configure(queues={"mail": 1, "default": 1})
    node.ask("reload")
    wait_for(lambda: (node.running(), node.running("mail")) == (1, 1))
    board = node.board()
    assert [queue.name for queue in board.queues()] == ["default", "mail"]
    assert len({queue.wake_read for queue in board.queues()}) == 2
    node.configure(queues={"mail": 2})
    node.ask("reload")
    wait_for(lambda: (len(node.workers()), node.running("mail")) == (0, 2))
    assert board.queue(0).wanted == 0


def test_a_second_reload_takes_over_from_the_first(node: Node) -> None:
    node.start()
    node.switch("boots-slowly")
    node.ask("reload")
    wait_for(lambda: len(node.children()) == 4)
    node.ask("reload")
    node.unswitch("boots-slowly")
    wait_for(lambda: "every child has been replaced" in node.log())
    wait_for(lambda: len(node.children()) == 3)
    assert node.running() == 2


def test_a_reload_tries_a_fatal_child_again_at_once(node: Node) -> None:
    node.switch("cannot-boot.default[1]")
    node.start(ready=False)
    wait_for(lambda: node.state_of("default[1]") == "FATAL")
    node.unswitch("cannot-boot.default[1]")
    node.ask("reload")
    wait_for(lambda: node.running() == 2)
