"""`qsuper scale --explain`."""

import json
import time
from pathlib import Path

import pytest

from tests.unit.cli import Node, call

CONFIG = """
[queues.default]
workers = { min = 1, max = 8 }
[queues.mail]
workers = { min = 0, max = 2, wait = "5s" }
[queues.slow]
workers = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A node that has decided twice."""
    (tmp_path / "qsuper.toml").write_text(CONFIG)
    node = Node(tmp_path / "var")
    for name, wanted in (("default", 2), ("mail", 1), ("slow", 3), ("gone", 0)):
        node.queue(name, wanted=wanted)
    node.count(
        {"queue": "default", "states": {"ready": 10_001}, "oldest_ready": 75.0},
        {"queue": "mail", "states": {"ready": 0}, "oldest_ready": None},
    )
    decision = {"at": 1790000000.0, "queue": "default", "wait": 1.5, "ready": 9, "pressure": {}}
    node.board.bulletin("master").post(
        {
            "version": "1.2.3",
            "children": [],
            "scale_remembered": {"mail": 1},
            "decisions": [
                decision | {"from": 1, "to": 2, "why": "jobs wait"},
                decision | {"from": 2, "to": 2, "why": "held back: cpu pressure 41 % > 40 %"},
            ],
            "posted": time.time(),
        }
    )
    return tmp_path


def test_it_says_for_each_queue_who_decides_and_what_was_decided_last(folder: Path) -> None:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1790000000.0))
    assert call(folder, "scale", "--explain").out.splitlines() == [
        "default: 2 workers, 1 to 8 as the backlog needs; "
        "the oldest of 10,000+ ready jobs waits 1m 15s, wanted is 1s",
        "mail: 1 worker, as somebody asked; `qsuper scale mail=auto` takes that back",
        "slow: 3 workers, as configured",
        "",
        f"{at}  default 1 -> 2: jobs wait",
        f"{at}  default stays at 2, held back: cpu pressure 41 % > 40 %",
    ]


def test_the_same_for_machines(folder: Path) -> None:
    shown = json.loads(call(folder, "scale", "--explain", "--json").out)
    default, mail, slow = shown["queues"]
    assert (default["workers"], default["ready"], default["oldest_ready"]) == (2, 10_001, 75.0)
    assert default["autoscale"]["max"] == 8
    assert (mail["asked"], mail["autoscale"]["wait"]) == (1, 5.0)
    assert slow["autoscale"] is None
    assert [(one["before"], one["after"]) for one in shown["decisions"]] == [(1, 2), (2, 2)]


def test_a_node_that_has_decided_nothing_says_so(folder: Path) -> None:
    Node(folder / "var").post()
    assert call(folder, "scale", "--explain").out == "\nnothing decided yet\n"


@pytest.mark.parametrize("words", [(), ("--json",), ("--explain", "3"), ("--json", "mail=auto")])
def test_it_only_shows_and_a_scale_only_scales(folder: Path, words: tuple[str, ...]) -> None:
    answer = call(folder, "scale", *words)
    assert (answer.code, answer.out) == (2, "")


def test_nobody_to_explain_is_one_line(tmp_path: Path) -> None:
    answer = call(tmp_path, "scale", "--explain")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
