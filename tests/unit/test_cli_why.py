"""`qsuper why`: what the tables know, and what only the scoreboard of this node does."""

import json
import os
from pathlib import Path

import pytest

from qsuper.scoreboard import clock
from qsuper.store.backend import Statement
from qsuper.store.database import Database
from tests.unit.cli import Node, call


def lines(folder: Path, *arguments: str, width: str = "80") -> list[str]:
    answer = call(folder, "why", *arguments, COLUMNS=width)
    assert (answer.code, answer.err) == (0, "")
    return answer.out.splitlines()


def test_why_needs_no_daemon(tmp_path: Path) -> None:
    call(tmp_path, "add", "task")
    assert lines(tmp_path, "1") == [
        "job 1, task task of queue default, is ready",
        "- no daemon is alive; start `qsuper run`",
    ]


def test_it_fits_the_terminal_and_commands_stay_in_one_piece(tmp_path: Path) -> None:
    call(tmp_path, "add", "task", "--name", "order: " + "é" * 100 + "\x1b[2J")
    database = Database(f"sqlite:///{tmp_path}/var/qsuper.db")
    connection = database.connect()
    connection.run(Statement("UPDATE queue SET status = 3"))
    connection.close()
    for width in ("80", "40", "25"):
        shown = lines(tmp_path, "1", width=width)
        assert max(map(len, shown)) <= int(width)
        assert "\x1b" not in "".join(shown)
        assert any("`qsuper retry 1`" in line for line in shown)
    assert [line[:2] for line in lines(tmp_path, "1")[-2:]] == ["- ", "- "]


def test_json_has_each_reason_with_its_kind(tmp_path: Path) -> None:
    call(tmp_path, "add", "task", "--name", "SN1", "--delay", "1h")
    told = json.loads(call(tmp_path, "why", "1", "--json").out)
    assert (told["id"], told["state"], told["queue"]) == (1, "scheduled", "default")
    assert (told["task"], told["name"]) == ("task", "SN1")
    assert [reason["kind"] for reason in told["reasons"]] == ["not due", "no daemon"]
    assert all(reason["text"] for reason in told["reasons"])


def test_a_paused_node_and_its_ill_workers_are_said_first(tmp_path: Path) -> None:
    call(tmp_path, "add", "task")
    node = Node(tmp_path / "var")
    node.queue("default")
    node.child("default[0]", 0, state="FATAL", last_exit="cannot import shop.tasks")
    node.child("scheduler", state="FATAL", last_exit="what")
    node.post()
    node.board.header.paused = 1
    shown = lines(tmp_path, "1")
    assert shown[1] == "- this node is paused and begins nothing; `qsuper resume` lets it go on"
    assert shown[2] == "- default[0] of this node is FATAL: cannot import shop.tasks"
    assert not any("scheduler" in line for line in shown)
    node.board.header.stopping = 1
    assert lines(tmp_path, "1")[1] == "- this node is stopping and begins nothing"


def test_the_worker_of_this_node_that_runs_it_is_named(tmp_path: Path) -> None:
    call(tmp_path, "add", "task")
    node = Node(tmp_path / "var")
    node.queue("default")
    record = node.child("default[0]", 0)
    record.hold([1])
    record.begin(0, clock() - 200)
    node.post()
    connection = Database(f"sqlite:///{tmp_path}/var/qsuper.db").connect()
    connection.run(Statement("UPDATE queue SET status = 2, worker = 'boot-1'"))
    connection.close()
    assert f"- its code has run for 3m 20s in default[0] of this node (pid {os.getpid()})" in (
        lines(tmp_path, "1")
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///qsuper.db", "there is no job 9"),
        ("mysql+pymysql://root@127.0.0.1:1/shop", "Can't connect"),
    ],
    ids=["no such job", "no database"],
)
def test_what_cannot_be_explained_is_one_line(url: str, words: str, tmp_path: Path) -> None:
    answer = call(tmp_path, "why", "9", QSUPER_STORE__URL=url)
    assert (answer.code, answer.out) == (1, "")
    assert words in answer.err
    assert answer.err.count("\n") == 1
