"""A master that runs once: until every worker has drained."""

from tests.process.harness import Node, ended
from tests.wait import wait_for


def test_it_ends_with_0_when_every_worker_has_drained(node: Node) -> None:
    node.switch("finish")
    master = node.start("--once", ready=False)
    assert ended(master) == 0
    assert node.settled().count("none 0") == 2
    assert "BACKOFF" not in node.log()


def test_a_worker_that_crashes_is_started_again(node: Node) -> None:
    node.switch("crash.default[0]")
    node.switch("finish.default[1]")
    master = node.start("--once", ready=False)
    wait_for(lambda: node.settled().count("none 768") == 2)
    node.unswitch("crash.default[0]")
    node.switch("finish.default[0]")
    assert ended(master) == 0


def test_five_crashes_in_a_row_end_it_with_1(node: Node) -> None:
    node.switch("crash")
    master = node.start("--once", ready=False)
    assert ended(master) == 1


def test_a_worker_that_cannot_boot_ends_it_with_1(node: Node) -> None:
    node.switch("cannot-boot")
    master = node.start("--once", ready=False)
    assert ended(master) == 1


def test_a_worker_that_gives_up_ends_it_with_1_and_is_not_started_again(node: Node) -> None:
    node.switch("give-up")
    node.configure(queues={"default": 1})
    master = node.start("--once", ready=False)
    assert ended(master) == 1
    assert node.settled().count("none 3328") == 1
