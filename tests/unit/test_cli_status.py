import json
import os
import re
import time
from pathlib import Path

import pytest

from qsuper.errors import NotRunning
from qsuper.picture import Picture, span, take
from qsuper.scoreboard import clock
from tests.unit.cli import Node, call


def picture(state_dir: Path, *, later: float = 0.0) -> Picture:
    return take(state_dir, now=clock() + later, unix=time.time() + later)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "var")


def test_without_a_daemon_status_says_so_with_3(tmp_path: Path) -> None:
    answer = call(tmp_path, "status")
    assert (answer.code, answer.err) == (3, "")
    assert answer.out.startswith(f"qsuper is not running in {tmp_path / 'var'}")
    answer = call(tmp_path, "status", "--json")
    assert answer.code == 3
    assert json.loads(answer.out)["running"] is False


@pytest.mark.parametrize(
    "prepare",
    [
        lambda folder: (folder / "qsuper.toml").write_text("[nonsense]"),
        lambda folder: (folder / "var").mkdir() or (folder / "var/scoreboard").write_text("junk"),
        lambda folder: (folder / "var/scoreboard").mkdir(parents=True),
    ],
    ids=["broken configuration", "junk for a scoreboard", "a folder for a scoreboard"],
)
def test_what_cannot_be_told_is_4(prepare: object, tmp_path: Path) -> None:
    assert callable(prepare)
    prepare(tmp_path)
    answer = call(tmp_path, "status")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err.startswith("qsuper: ")


def test_a_daemon_that_is_well_is_shown_with_its_children_and_queues(
    node: Node, tmp_path: Path
) -> None:
    node.queue("default", wanted=2, total=4)
    node.board.queue(0).first = 2
    first = node.child("default[0]", 0)
    first.done, first.failed = 12, 3
    second = node.child("default[1]", 0, restarts=7)
    second.ordinal, second.attempt, second.task = 1, 2, "send_msg"
    second.hold([41, 42])
    second.begin(1, clock() - 65)
    node.child("scheduler")
    node.post()
    states = {"ready": 10_001, "running": 1, "done": 5}
    node.count({"queue": "default", "states": states, "oldest_ready": 73.0})
    answer = call(tmp_path, "status")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0].startswith(f"qsuper 1.2.3 running: pid {os.getpid()}, up 1m 40s")
    assert "0123456789ab" in lines[1]
    rows = {line.split()[0]: line.split() for line in lines[2:] if line}
    assert rows["default[0]"][1:6] == [str(os.getpid()), "RUNNING", "2/4", "12", "3"]
    assert rows["default[0]"][-1] == "idle"
    assert rows["default[1]"][3] == "3/4"
    assert rows["default[1]"][7:11] == ["7", "#42", "1m", "5s"]
    assert rows["default"] == ["default", "2/2", "10000+", "1", "-", "-", "5", "-", "1m", "13s"]
    assert max(map(len, lines)) <= 80


def test_a_jobs_time_is_told_once_it_is_nearly_over(node: Node, tmp_path: Path) -> None:
    node.queue("default", wanted=4)
    seconds = {"early": 10.0, "late": 955.0, "over": 1001.0, "gone": 10.0}
    for number, (task, spent) in enumerate(seconds.items()):
        record = node.child(f"default[{number}]", 0)
        record.task, record.timeout = task, 1000.0
        record.report(-1.0)
        record.hold([number + 1])
        record.begin(0, clock() - spent)
        if task == "gone":
            record.cancel = number + 1
    node.post()
    lines = call(tmp_path, "status").out.splitlines()
    does = [line.split("#", 1)[1] for line in lines if "#" in line]
    assert does[0] == "1 10s early"
    assert re.fullmatch(r"2 4\ds left la.*", does[1])
    assert does[2:] == ["3 ending over", "4 ending gone"]
    assert max(map(len, lines)) <= 80
    shown = json.loads(call(tmp_path, "status", "--json").out)["children"]
    assert [child["job"]["ending"] for child in shown] == [False, False, True, True]


def test_json_tells_all_there_is(node: Node, tmp_path: Path) -> None:
    node.queue("default")
    record = node.child("default[0]", 0)
    record.task = "send_msg"
    record.hold([42])
    record.begin(0, clock() - 2)
    node.post(messages=["the disk is full"])
    node.count()
    answer = call(tmp_path, "status", "--json")
    shown = json.loads(answer.out)
    assert answer.code == 0
    assert shown["running"] is True
    assert shown["degraded"] == ["the disk is full"]
    (child,) = shown["children"]
    assert child["job"]["id"] == 42
    assert child["job"]["seconds"] >= 2
    assert child["memory"] > 1_000_000


def test_what_is_wrong_comes_first_and_without_control_bytes(node: Node, tmp_path: Path) -> None:
    node.queue("mail", paused=True)
    node.child("mail[0]", 0, state="BACKOFF", pid=0, last_exit="killed by SIGKILL", retry_in=12.0)
    node.child("keeper").complain("the database does \x1b[31mnot answer")
    node.post()
    node.count({"queue": "mial", "states": {"ready": 3}, "oldest_ready": 1.0})
    lines = call(tmp_path, "status").out.splitlines()
    assert lines[0].startswith(
        "! mail[0] is BACKOFF: killed by SIGKILL, tried again in 12s (since "
    )
    assert lines[1].startswith(r"! keeper: the database does \x1b[31mnot answer (since ")
    assert lines[2:5] == [
        "! queue mail is paused on every node",
        "! queue mial has 3 ready jobs and no workers",
        "",
    ]


def test_many_children_with_one_trouble_are_one_sentence(node: Node, tmp_path: Path) -> None:
    node.queue("default", wanted=5)
    for number in range(5):
        node.child(f"default[{number}]", 0).complain("the database is away")
    node.post()
    node.count()
    (sentence,) = picture(tmp_path / "var").degraded
    assert sentence.startswith(
        "default[0], default[1], default[2] and 2 more: the database is away (for "
    )


def test_who_does_not_come_up_is_told_after_a_minute(node: Node, tmp_path: Path) -> None:
    node.queue("default", wanted=5)
    for number in range(5):
        node.child(f"default[{number}]", 0, state="STARTING")
    node.child("keeper", role="keeper", state="STARTING")
    node.child("scheduler", state="STARTING")
    for child in node.children:
        child["since"] = time.time()
    node.post()
    node.count()
    assert not any("STARTING" in words for words in picture(tmp_path / "var", later=50).degraded)
    told = [words for words in picture(tmp_path / "var", later=180).degraded if "START" in words]
    assert told == [
        "default[0], default[1], default[2] and 3 more have been STARTING for 3m:"
        " its application hangs while it is imported?",
        "scheduler has been STARTING for 3m",
    ]


def test_silence_of_master_and_keeper_is_told(node: Node, tmp_path: Path) -> None:
    node.post()
    node.count()
    assert picture(tmp_path / "var").degraded == ()
    first, second, *_ = picture(tmp_path / "var", later=7).degraded
    assert first == "the master has said nothing for 7s: what follows is old"
    assert second == "the queues have not been counted for 7s"


def test_a_lease_near_its_end_and_past_it_is_told(node: Node, tmp_path: Path) -> None:
    node.post()
    node.count()
    assert picture(tmp_path / "var", later=15).degraded[2:] == ()
    assert (
        "the lease ends in 5s: it could not be renewed"
        in picture(tmp_path / "var", later=25).degraded
    )
    past = picture(tmp_path / "var", later=40).degraded
    assert any(sentence.startswith("the lease ended 10s ago") for sentence in past)


def test_pausing_and_stopping_are_told(node: Node, tmp_path: Path) -> None:
    node.board.header.paused = node.board.header.stopping = 1
    node.post()
    node.count()
    assert picture(tmp_path / "var").degraded == (
        "qsuper is stopping",
        "this node is paused and begins nothing; `qsuper resume` lets it go on",
    )


def test_a_pid_that_was_given_to_another_process_is_no_master(node: Node, tmp_path: Path) -> None:
    node.board.header.master_ticks += 1
    with pytest.raises(NotRunning):
        picture(tmp_path / "var")


def test_a_scoreboard_of_an_earlier_boot_is_no_master(node: Node, tmp_path: Path) -> None:
    node.board.header.boot_id = "another"
    with pytest.raises(NotRunning):
        picture(tmp_path / "var")


def test_a_record_that_has_changed_hands_since_the_bulletin_is_not_believed(
    node: Node, tmp_path: Path
) -> None:
    node.queue("default")
    record = node.child("default[0]", 0)
    node.post()
    record.pid, record.done = os.getpid() + 1, 99
    (child,) = picture(tmp_path / "var").children
    assert (child.done, child.phase) == (0, None)


def test_a_check_of_the_living_fails_when_it_is_degraded(node: Node, tmp_path: Path) -> None:
    node.post()
    node.count()
    assert call(tmp_path, "check", "--live").code == 0
    node.post(messages=["the disk is full"])
    answer = call(tmp_path, "check", "--live")
    assert answer.code == 1
    assert "daemon    the disk is full" in answer.out.splitlines()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0s"),
        (0.44, "0.4s"),
        (9.96, "10s"),
        (59.7, "1m"),
        (200, "3m 20s"),
        (18_120, "5h 2m"),
        (1_047_600, "12d 3h"),
    ],
)
def test_spans_are_read_at_a_glance(seconds: float, words: str) -> None:
    assert span(seconds) == words
