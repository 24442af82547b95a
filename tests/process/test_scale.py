"""How many workers, and who goes first."""

import json
import signal

import pytest

from qsuper.wire import Refused
from tests.process.harness import Node, ended
from tests.wait import wait_for


def ordinals(node: Node) -> list[int]:
    return sorted(
        node.board().record(worker["slot"]).ordinal
        for worker in node.workers()
        if worker["state"] == "RUNNING"
    )


def test_workers_are_scaled_up_and_down(node: Node) -> None:
    node.start()
    assert node.ask("scale", workers=5) == {"wanted": {"default": 5}}
    wait_for(lambda: node.running() == 5)
    assert node.board().queue(0).wanted == 5
    node.ask("scale", workers="1")
    wait_for(lambda: [one["name"] for one in node.workers()] == ["default[0]"])
    node.ask("scale", workers=0)
    wait_for(lambda: not node.workers())
    node.ask("scale", workers=2, queue="default")
    wait_for(lambda: node.running() == 2)


def test_a_scale_is_remembered_until_the_configured_number_changes(node: Node) -> None:
    master = node.start()
    node.ask("scale", workers=4)
    wait_for(lambda: node.running() == 4)
    node.ask("stop")
    assert ended(master) == 0
    master = node.start()
    assert node.running() == 4
    assert node.bulletin()["scale_remembered"] == {"default": 4}
    node.ask("stop")
    assert ended(master) == 0
    node.configure(queues={"default": 3})
    node.start()
    assert node.running() == 3
    assert node.bulletin()["scale_remembered"] == {}


def test_auto_gives_a_queue_back_to_the_configuration(node: Node) -> None:
    node.start()
    node.ask("scale", workers=4)
    wait_for(lambda: node.running() == 4)
    node.ask("scale", workers="auto")
    wait_for(lambda: len(node.workers()) == 2)
    assert json.loads((node.state / "scale.json").read_text()) == {}


def test_idle_workers_leave_first_and_a_running_job_is_never_killed(node: Node) -> None:
    node.configure(stop_timeout=0.1)
    node.start()
    node.ask("scale", workers=4)
    wait_for(lambda: node.running() == 4)
    node.switch("busy.default[3]")
    wait_for(lambda: node.record("default[3]").phase == 2)
    node.ask("scale", workers=1)
    wait_for(lambda: [one["name"] for one in node.workers()] == ["default[3]"])
    assert node.state_of("default[3]") == "RUNNING"
    assert ordinals(node) == [0]
    node.ask("scale", workers=0)
    wait_for(lambda: node.state_of("default[3]") == "STOPPING")
    pid = node.child("default[3]")["pid"]
    node.ask("scale", workers=1)
    wait_for(lambda: node.state_of("default[0]") == "RUNNING")
    assert node.child("default[3]")["pid"] == pid
    node.unswitch("busy.default[3]")
    wait_for(lambda: node.state_of("default[3]") == "")
    assert "killing" not in node.log()


def test_ordinals_stay_dense_whoever_leaves(node: Node) -> None:
    node.start()
    node.ask("scale", workers=6)
    wait_for(lambda: node.running() == 6)
    assert ordinals(node) == [0, 1, 2, 3, 4, 5]
    for number in (4, 5):
        node.switch(f"busy.default[{number}]")
        wait_for(lambda number=number: node.record(f"default[{number}]").phase == 2)  # type: ignore[misc]
    node.ask("scale", workers=3)
    wait_for(lambda: len(node.workers()) == 3)
    wait_for(lambda: ordinals(node) == [0, 1, 2])


def test_two_signals_add_and_take_a_worker(node: Node) -> None:
    master = node.start()
    master.send_signal(signal.SIGTTIN)
    wait_for(lambda: node.running() == 3)
    master.send_signal(signal.SIGTTOU)
    wait_for(lambda: len(node.workers()) == 2)


@pytest.mark.parametrize(
    ("workers", "words"),
    [
        (-1, "-1 workers cannot be had: write 0 to 500, or auto"),
        ("x", "'x' is not a number of workers"),
        (10**9, "1000000000 workers cannot be had"),
        ("9" * 5000, "cannot be had"),
        (501, "501 workers cannot be had"),
        (2.5, "2.5 is not a number of workers"),
        (True, "True is not a number of workers"),
        (None, "None is not a number of workers"),
        ("٣", "is not a number of workers"),
    ],
)
def test_a_number_that_is_none_is_refused_and_changes_nothing(
    node: Node, workers: object, words: str
) -> None:
    node.start()
    with pytest.raises(Refused, match=words):
        node.ask("scale", workers=workers)
    assert node.bulletin()["wanted"] == {"default": 2}
    assert not (node.state / "scale.json").exists()


def test_a_node_never_has_more_workers_than_it_has_room_for(node: Node) -> None:
    node.configure(queues={"default": 1, "mail": 2})
    node.start()
    with pytest.raises(Refused, match="the other queues have 2"):
        node.ask("scale", workers=499)
    with pytest.raises(Refused, match="no queue 'nail' in the configuration; known: default, mail"):
        node.ask("scale", workers=3, queue="nail")
    node.ask("scale", workers=3, queue="mail")
    wait_for(lambda: node.running("mail") == 3)
    assert node.running() == 1


def test_a_broken_memory_of_the_scale_is_no_reason_not_to_start(node: Node) -> None:
    node.state.mkdir()
    (node.state / "scale.json").write_text('{"default": [1]')
    node.start()
    assert node.running() == 2
    assert "cannot be read" in node.log()


def test_fifty_scales_in_a_row_end_with_the_exact_number(node: Node) -> None:
    node.start()
    node.switch("busy.default[1]")
    for turn in range(50):
        node.ask("scale", workers=1 + turn * 7 % 20)
    node.ask("scale", workers=7)
    node.unswitch("busy.default[1]")
    wait_for(lambda: (len(node.workers()), node.running()) == (7, 7))
    wait_for(lambda: ordinals(node) == list(range(7)))
    wait_for(lambda: len(list(node.board().records())) == 8)
    assert "killing" not in node.log()
