"""`qsuper timers`, and `qsuper cancel --name`."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from qsuper import Queue
from qsuper.store.backend import Statement
from tests.unit.cli import call

_ARM = Statement(
    """
    INSERT INTO watched_keys (db, name_hash, name, deadline, kind, value)
    VALUES (15, :hash, :key, :deadline, :kind, :value)
    """
)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(f"sqlite:///{tmp_path}/var/qsuper.db")


def arm(queue: Queue, key: bytes, value: bytes | None, kind: str = "string") -> None:
    connection = queue.database.connect()
    deadline = int((time.time() + 90) * 1000)
    digest = hashlib.sha256(key).digest()
    connection.run(_ARM, hash=digest, key=key, deadline=deadline, kind=kind, value=value)
    connection.close()


def listed(folder: Path, *arguments: str) -> Any:
    return json.loads(call(folder, "timers", "--json", *arguments).out)


def test_where_nothing_waits_that_is_said(tmp_path: Path) -> None:
    answer = call(tmp_path, "timers")
    assert (answer.code, answer.out, answer.err) == (0, "nothing waits for its time\n", "")
    assert listed(tmp_path) == {"timers": [], "keys": []}


def test_timers_are_listed_the_next_one_first(tmp_path: Path, queue: Queue) -> None:
    queue.timer("later", 7200, "cancel_order")
    queue.timer("sooner", 90, "cancel_order", queue="mail")
    queue.timer("past", -1, "t")
    queue.timer("missed", at=1, task="t")
    queue.add("unnamed", delay=60)
    names = [job["name"] for job in listed(tmp_path)["timers"]]
    assert names == ["missed", "sooner", "later"], "what is ready waits for no time"
    lines = call(tmp_path, "timers").out.splitlines()
    assert lines[0].split() == ["IN", "ID", "QUEUE", "TASK", "NAME"]
    assert lines[1].split() == ["due", "4", "default", "t", "missed"]
    assert lines[2].split()[-4:] == ["2", "mail", "cancel_order", "sooner"]
    assert [job["id"] for job in listed(tmp_path, "--all")["timers"]] == [4, 5, 2, 1]
    assert [job["id"] for job in listed(tmp_path, "--all", "-n", "2")["timers"]] == [4, 5]
    assert [job["id"] for job in listed(tmp_path, "--queue", "mail")["timers"]] == [2]
    assert listed(tmp_path, "--queue", "none") == {"timers": [], "keys": []}


def test_watched_keys_that_are_armed_are_listed_whatever_is_in_them(
    tmp_path: Path, queue: Queue
) -> None:
    arm(queue, b"SN1:1", b"one widget")
    arm(queue, b"\xff\x00\x1b[2J", b"\xfe" * 5000)
    arm(queue, b"hash", None, "hash")
    answer = call(tmp_path, "timers")
    assert answer.out.replace("…", "").isascii()
    lines = answer.out.splitlines()
    assert lines[0].split() == ["IN", "DB", "KEY", "VALUE"]
    assert lines[1].endswith("SN1:1            one widget")
    assert "\\xff\\x00\\x1b[2J" in lines[2]
    assert lines[3].endswith("(hash)")
    assert all(len(line) <= 80 for line in lines)
    keys = listed(tmp_path)["keys"]
    assert [key["value"] for key in keys][::2] == ["one widget", None]
    assert keys[0]["deadline"] == pytest.approx(time.time() + 90, abs=60)
    assert listed(tmp_path, "--queue", "default")["keys"] == []


def test_long_names_leave_the_rest_readable(tmp_path: Path, queue: Queue) -> None:
    queue.timer("n" * 255, 60, "t" * 190, queue="q" * 64)
    line = call(tmp_path, "timers").out.splitlines()[1]
    assert len(line) == 80
    assert "nnn" in line


def test_a_date_that_was_kept_as_the_last_one_is_explained(tmp_path: Path, queue: Queue) -> None:
    queue.timer("far", at=1e12, task="t")
    assert call(tmp_path, "timers").out.splitlines()[2] == (
        "9999-12-31 is the last date that the database holds: later ones are kept as this one"
    )


def test_a_timer_is_taken_back_by_its_name(tmp_path: Path, queue: Queue) -> None:
    job = queue.timer("order:SN1", 60, "t")
    assert call(tmp_path, "cancel", "--name", "order:SN1").out == "order:SN1 is cancelled\n"
    assert job.state.word == "cancelled"
    answer = call(tmp_path, "cancel", "--name", "order:SN1")
    assert (answer.code, answer.err) == (1, "qsuper: no live job is named 'order:SN1'\n")


def test_a_timer_that_runs_is_let_run(tmp_path: Path, queue: Queue) -> None:
    queue.timer("order:SN1", 60, "t")
    connection = queue.database.connect()
    connection.run(Statement("UPDATE queue SET status = 2"))
    connection.close()
    answer = call(tmp_path, "cancel", "--name", "order:SN1")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "order:SN1 is running: --running ends it\n"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("", 2, "--name"),
        ("\udcff", 2, "--name"),
        ("n" * 256, 1, "a job's name is 1 to 255 bytes of UTF-8"),
    ],
    ids=["empty", "no UTF-8", "long"],
)
def test_what_cannot_be_a_name_is_a_line(tmp_path: Path, name: str, code: int, words: str) -> None:
    answer = call(tmp_path, "cancel", "--name", name)
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
    assert answer.err.count("\n") == 1
