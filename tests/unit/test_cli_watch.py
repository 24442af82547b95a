"""The screen of `status --watch`, at every size, and what is sent to bring it there."""

import io
import json
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click import unstyle
from rich.console import Console
from rich.text import Text

from qsuper.cli.drawing import draw as plain
from qsuper.cli.rates import brief, per_second
from qsuper.cli.screen import Painter, frame, no_picture
from qsuper.cli.screen.section import Section, fit
from qsuper.config import Config, load
from qsuper.picture import Child, Decision, Due, Job, Minute, Picture, Queue, Trouble
from qsuper.picture.totals import runs, waits
from qsuper.scoreboard import OUTCOMES, no_runs, no_waits
from tests.screen import Screen
from tests.unit.cli import Node, call

NOW = 1_795_000_000.0
MINUTE_SECONDS = 60.0


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(None, environ={"QSUPER_NODE__NAME": "web1"})


def child(number: int, queue: str = "default", job: Job | None = None, **other: Any) -> Child:
    known: dict[str, Any] = {
        "name": f"{queue}[{number}]",
        "role": "worker",
        "queue": queue,
        "slice": f"{number}/20",
        "state": "RUNNING",
        "since": NOW - 90,
        "phase": "idle" if job is None else "busy",
        "pid": 4711 + number,
        "job": job,
        "done": 12,
        "failed": 3,
        "memory": 23 << 20,
        "restarts": 0,
        "last_exit": "",
        "retry_in": None,
        "trouble": "",
        "trouble_since": 0.0,
        "away": "",
    }
    return Child(**known | other)


def queue(name: str, *, paused: bool = False, oldest: float | None = None, **states: int) -> Queue:
    return Queue(name, 4, 4, 4, paused, states, oldest)


def minute() -> Minute:
    waited, ran = no_waits(), no_runs()
    waited.counts[0], waited.counts[6] = 90, 10
    ran.counts[2] = 100
    outcomes = dict.fromkeys(OUTCOMES, 0) | {"done": 2472, "failed": 18, "dead": 1}
    return Minute(MINUTE_SECONDS, outcomes, runs(ran), waits(waited), {"mail": waits(waited)})


def picture(**other: Any) -> Picture:
    """Three queues, twenty workers; failures, a pause, and one that is degraded."""
    newsletter = Job(41, "newsletter", 1, 65.0, progress=0.45, progress_text="135 of 300 sent")
    children = [child(number) for number in range(12)]
    children[3] = child(3, state="BACKOFF", pid=None, last_exit="killed by SIGKILL", retry_in=12.0)
    children += [child(n, "mail", Job(1000 + n, "send_msg", 1, 0.02)) for n in range(5)]
    children += [child(0, "reports", newsletter)] + [child(n, "reports") for n in (1, 2)]
    children += [child(0, name="scheduler", role="scheduler"), child(0, name="keeper", role="x")]
    backoff = "default[3] is BACKOFF: killed by SIGKILL, tried again in 12s"
    paused = "queue reports is paused on every node"
    troubles = (
        Trouble("BACKOFF", "default[3]", backoff, NOW - 200),
        Trouble("queue paused", "reports", paused),
    )
    known: dict[str, Any] = {
        "degraded": tuple(trouble.text for trouble in troubles),
        "pid": 4700,
        "version": "1.2.3",
        "node": "0123456789ab",
        "started": NOW - 5000,
        "up": 5000.0,
        "paused": False,
        "stopping": False,
        "lease_left": 20.0,
        "alone": True,
        "posted_ago": 0.1,
        "counted_ago": 0.1,
        "children": tuple(children),
        "queues": (
            queue("default", ready=12, running=4, scheduled=7, done=10_001, dead=2, oldest=0.3),
            queue("mail", ready=10_001, running=5, scheduled=54, done=10_001, oldest=93.0),
            queue("reports", paused=True, ready=3, running=3, oldest=25.0),
        ),
        "troubles": troubles,
        "minute": minute(),
        "due": tuple(
            Due(NOW + 60 * n - 1, "job", f"order:SN{n}", "cancel_order", "default", n)
            for n in range(8)
        ),
        "decisions": (Decision(NOW - 60, "mail", 4, 6, "the oldest waits 93s, wanted are 5s"),),
    }
    return Picture(**known | other)


Draw = Callable[..., list[str]]


@pytest.fixture
def draw(config: Config) -> Draw:
    def lines(shown: Picture, width: int = 80, height: int = 24, **flags: bool) -> list[str]:
        found = frame(shown, config, width=width, height=height, unix=NOW, **flags)
        return [line.plain for line in found]

    return lines


def test_at_80_by_24_all_is_there_and_what_is_wrong_comes_first(draw: Draw) -> None:
    lines = draw(picture())
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    since = time.strftime("%H:%M:%S", time.localtime(NOW - 200))
    assert lines[:2] == [
        f"! default[3] is BACKOFF: killed by SIGKILL, tried again in 12s (since {since})",
        "! queue reports is paused on every node",
    ]
    text = "\n".join(lines)
    assert "last minute: 41/s done, 0.3/s failed, 0.02/s dead" in lines
    assert "median and 95 %: waited 3ms and 375ms, ran 8ms and 10ms" in lines
    assert re.search(r"^mail +4/4 +10k\+ +5 +54 +- +1m 33s +1.7/s +375ms$", text, re.M)
    assert re.search(r"^reports +paused ", text, re.M)
    assert re.search(r"^default\[3\] .* BACKOFF in 12s: killed by SIGKILL$", text, re.M)
    assert re.search(r"#41 1m 5s newsletter ████░░░░░░ 45% 135 of 300 …$", text, re.M)
    assert "scheduler, keeper: RUNNING" in lines
    assert re.search(r"^and \d+ more workers: 1\d idle, 5 busy$", text, re.M)
    assert re.search(r"^late 1s +0 +order:SN0 +cancel_order +default$", text, re.M)
    assert "later ones or more: `qsuper timers` lists them" in text
    assert lines[-1].endswith("mail 4 to 6: the oldest waits 93s, wanted are 5s")


def test_plain_status_tells_the_rates_and_since_when_it_is_degraded(config: Config) -> None:
    lines = [unstyle(line) for line in plain(picture(), config, 80, NOW)]
    since = time.strftime("%H:%M:%S", time.localtime(NOW - 200))
    assert lines[0].endswith(f"tried again in 12s (since {since})")
    assert lines[1] == "! queue reports is paused on every node"
    assert "  last minute: 41/s done, 0.3/s failed, 0.02/s dead" in lines
    assert "  median and 95 %: waited 3ms and 375ms, ran 8ms and 10ms" in lines
    quiet = list(plain(picture(minute=Minute()), config, 80, NOW))
    assert not any("last" in line for line in quiet)


def test_what_has_lasted_for_days_is_told_with_its_date(config: Config) -> None:
    days = Trouble("x", "", "keeper: the disk is full (for 3d 2h)", NOW - 3 * 86_400)
    first, *_ = plain(picture(troubles=(days,)), config, 80, NOW)
    date = time.strftime("%Y-%m-%d %H:%M", time.localtime(NOW - 3 * 86_400))
    assert unstyle(first) == f"! keeper: the disk is full (since {date})"


def test_a_larger_terminal_gets_more(draw: Draw) -> None:
    lines = draw(picture(), 200, 60)
    text = "\n".join(lines)
    assert " more" not in text
    assert sum(bool(re.match(r"(default|mail|reports)\[\d+\]", line)) for line in lines) == 20
    assert {"PID", "SLICE", "RESTARTS"} <= set(text.split())
    assert re.search(r"^mail +4/4 .* 10k\+ .* 10k\+ ", text, re.M)


@pytest.mark.parametrize("seed", range(5))
def test_at_any_size_lines_fit_and_what_is_wrong_is_there(draw: Draw, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        width, height = chance.randint(20, 220), chance.randint(3, 70)
        lines = draw(picture(), width, height)
        assert len(lines) <= height
        assert max(map(len, lines)) <= width
        assert lines[0].startswith("! default[3]")


def test_workers_that_do_not_fit_are_summed_up_and_the_long_jobs_are_not_among_them(
    draw: Draw,
) -> None:
    idle = [child(number) for number in range(40)]
    busy = child(40, job=Job(7, "resize", 1, 99.0))
    lines = draw(picture(children=(*idle, busy), troubles=(), degraded=()))
    assert any(line.endswith("#7 1m 39s resize") for line in lines)
    (rest,) = (line for line in lines if " more worker" in line)
    found = re.fullmatch(r"and (\d+) more workers, all idle", rest)
    assert found
    shown = sum(line.startswith("default[") for line in lines)
    assert int(found[1]) + shown == 41


def test_long_sentences_go_on_below_and_a_flood_of_them_is_summed_up(draw: Draw) -> None:
    text = "the disk is full, and this is a sentence that does not fit into one line of a terminal"
    lines = draw(picture(troubles=(Trouble("disk", "", text),)))
    assert " ".join(line.strip() for line in lines[:2]) == f"! {text}"
    assert lines[1].startswith("  ")
    many = tuple(Trouble("disk", "", f"number {number} is wrong") for number in range(50))
    lines = draw(picture(troubles=many))
    assert "  and more: `qsuper status` has it all" in lines
    assert any(line.startswith("qsuper 1.2.3 running") for line in lines)
    assert any(line.startswith("mail ") for line in lines)


def test_what_strangers_wrote_is_made_visible(draw: Draw) -> None:
    evil = "\x1b[2J\u202eevil"
    job = Job(1, evil, 1, 5.0, progress=0.5, progress_text=evil)
    shown = picture(
        children=(child(0, job=job), child(1, state="FATAL", last_exit=evil)),
        troubles=(Trouble("x", "", evil, NOW),),
        due=(Due(NOW, "key", evil, evil, "default", None),),
        decisions=(Decision(NOW, "mail", 1, 2, evil),),
    )
    for line in draw(shown, 200, 60):
        assert line.isprintable(), line


def test_bars_are_ascii_where_nothing_else_is_shown(draw: Draw) -> None:
    assert any("[####......] 45%" in line for line in draw(picture(), plain=True))
    assert all(line.isascii() for line in draw(picture(), 200, 60, plain=True))


def test_a_daemon_that_is_away_is_said_with_when_it_was_seen() -> None:
    told = no_picture("not running in var", width=40, unix=NOW, seen=NOW - 12)
    text = "".join(line.plain for line in told)
    assert "qsuper is not running in var" in text
    assert "12s ago" in text
    assert max(len(line) for line in told) <= 40


def test_room_is_given_out_in_turn() -> None:
    long = Section([Text("LONG")], [Text(f"row {n}") for n in range(30)], least=2)
    short = Section([Text("SHORT")], [Text("one"), Text("two")], least=1)
    lines = [line.plain for line in fit([long, short], 12)]
    assert len(lines) == 12
    assert lines[:2] == ["LONG", "row 0"]
    assert lines[-5:] == ["and 24 more", "", "SHORT", "one", "two"]


def painter(sent: list[str], **options: Any) -> Painter:
    console = Console(file=io.StringIO(), force_terminal=True, **options)
    return Painter(console, sent.append)


def test_what_was_sent_makes_the_terminal_show_the_frame(config: Config) -> None:
    """Frames that differ in all ways, one after the other, on a terminal that shows each."""
    chance = random.Random(4)
    sent: list[str] = []
    paint, screen = painter(sent, color_system="standard"), Screen(80, 24)
    for _ in range(60):
        children = picture().children[: chance.randint(0, 22)]
        troubles = picture().troubles[: chance.randint(0, 2)]
        due = picture().due[: chance.randint(0, 8)]
        up = chance.choice([1.0, 59.0, 4000.0])
        shown = picture(children=children, troubles=troubles, due=due, up=up)
        unix = NOW + chance.random() * 100_000
        lines = frame(shown, config, width=80, height=24, unix=unix)
        sent.clear()
        paint.show(lines)
        screen.feed("".join(sent))
        assert screen.text == "\n".join(line.plain.rstrip() for line in lines)
    assert screen.colours
    assert not screen.overflown


def test_nothing_is_sent_where_nothing_has_changed(config: Config) -> None:
    sent: list[str] = []
    paint = painter(sent)
    lines = frame(picture(), config, width=80, height=24, unix=NOW)
    paint.show(lines)
    paint.show(lines)
    assert len(sent) == 1
    paint.forget()
    paint.show(lines)
    assert sent[1] == sent[0]


def test_letters_of_two_cells_do_not_shift_what_follows() -> None:
    sent: list[str] = []
    paint = painter(sent, color_system=None)
    paint.show([Text("任務 a 1")])
    paint.show([Text("任務 a 2")])
    assert sent[1] == "\x1b[1;1H\x1b[K任務 a 2"
    paint.show([Text("plain 2")])
    paint.show([Text("plain 3")])
    assert sent[3] == "\x1b[1;7H3"


def test_no_color_leaves_none(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    sent: list[str] = []
    painter(sent, color_system="standard").show(
        frame(picture(), config, width=80, height=24, unix=NOW)
    )
    screen = Screen(80, 24)
    screen.feed("".join(sent))
    assert not any(re.search(r"\b(3|4|9|10)\d\b", numbers) for numbers in screen.colours)


def looks(*, times: int) -> Callable[[float], None]:
    """Instead of sleeping: interrupt after so many looks."""
    left = [times]

    def sleep(_seconds: float) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    return sleep


def test_into_a_pipe_the_text_is_printed_each_time(tmp_path: Path) -> None:
    node = Node(tmp_path / "var")
    node.queue("default")
    node.child("default[0]", 0)
    node.post()
    node.count()
    with mock.patch("time.sleep", looks(times=3)):
        answer = call(tmp_path, "status", "--watch", "--every", "5")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.count("qsuper 1.2.3 running") == 3
    assert "\x1b" not in answer.out


def test_json_is_one_line_each_time_whether_it_runs_or_not(tmp_path: Path) -> None:
    with mock.patch("time.sleep", looks(times=2)):
        answer = call(tmp_path, "status", "--watch", "--json")
    assert answer.code == 0
    assert [json.loads(line)["running"] for line in answer.out.splitlines()] == [False, False]


@pytest.mark.parametrize("words", [["--every", "2"], ["--watch", "--every", "0"]])
def test_an_interval_without_sense_is_a_usage_error(words: list[str], tmp_path: Path) -> None:
    answer = call(tmp_path, "status", *words)
    assert (answer.code, answer.out) == (2, "")


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0, "0/s"),
        (0.02, "0.02/s"),
        (0.3, "0.3/s"),
        (3.04, "3/s"),
        (9.97, "10/s"),
        (1240, "1,240/s"),
    ],
)
def test_rates_are_read_at_a_glance(rate: float, words: str) -> None:
    assert per_second(rate) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0.0004, "<1ms"), (0.0126, "13ms"), (0.9996, "1s"), (200, "3m 20s")],
)
def test_short_times_are_told_in_milliseconds(seconds: float | None, words: str) -> None:
    assert brief(seconds) == words
