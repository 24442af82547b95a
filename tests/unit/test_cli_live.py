"""`qsuper check --live`: a probe that is asked every few seconds."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli import Node, call

HEAVY = ("sqlalchemy", "pymysql", "alembic", "redis", "rich", "ssl")
"""What a probe has no use for."""


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path / "var")
    node.queue("default")
    return node


def test_a_daemon_that_is_well_is_told_in_one_line(node: Node, tmp_path: Path) -> None:
    node.post()
    node.count()
    answer = call(tmp_path, "check", "--live")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("daemon    ok: pid ")
    assert answer.out.count("\n") == 1


def test_each_trouble_is_a_line(node: Node, tmp_path: Path) -> None:
    node.child("default[0]", 0, state="FATAL", pid=0, last_exit="could not \x1b[31m boot")
    node.post(messages=["the disk is full"])
    node.count()
    answer = call(tmp_path, "check", "--live")
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.splitlines() == [
        r"daemon    default[0] is FATAL: could not \x1b[31m boot",
        "daemon    the disk is full",
    ]


def test_no_daemon_is_1(tmp_path: Path) -> None:
    answer = call(tmp_path, "check", "--live")
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.startswith("daemon    not running in ")


def test_a_mistake_in_the_configuration_is_1(tmp_path: Path) -> None:
    (tmp_path / "qsuper.toml").write_text("[nonsense]")
    answer = call(tmp_path, "check", "--live")
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.startswith("config    ")


def test_it_loads_no_driver(node: Node, tmp_path: Path) -> None:
    node.post()
    node.count()
    for arguments, loads in ((["check", "--live"], False), (["check"], True)):
        program = f"import sys; from qsuper.cli import main; main({arguments}); print(*sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = set(done.stdout.splitlines()[-1].split())
        assert bool(loaded.intersection(HEAVY)) == loads, arguments
