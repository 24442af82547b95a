"""`qsuper logs`, and the day-files read backwards, forward and while they grow."""

import json
import logging
import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from qsuper import logs
from qsuper.config import LogConfig
from qsuper.logs import reading
from qsuper.logs.formats import FORMATS, Entry, text_line
from qsuper.logs.lines import parse
from qsuper.logs.reading import Reader, start_of
from qsuper.logs.sought import LEVELS, Sought
from tests.unit.cli import Answer, call
from tests.wait import wait_for

NUMBERS = {"debug": 10, "info": 20, "warn": 30, "error": 40, "crit": 50}
DAY = date(2026, 11, 20)
MOST = 64 * 1024


def at(moment: str) -> float:
    return time.mktime(time.strptime(moment, "%Y-%m-%d %H:%M:%S"))


NOON = at("2026-11-20 12:00:00")


def entry(message: str, level: str = "info", job: int | None = None, **other: Any) -> Entry:
    context = None if job is None else logs.JobContext(job, 1, "0123456789ab-7", "send_msg")
    known = {
        "created": NOON,
        "level": NUMBERS[level],
        "process": "worker default[0]",
        "pid": 4711,
        "logger": "shop",
        "message": message,
        "trace": "",
        "job": context,
    }
    return Entry(**{**known, **other})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "var" / "log"
    folder.mkdir(parents=True)
    return folder


def write(
    folder: Path, *entries: Entry, day: date = DAY, form: str = "text", below: bytes = b""
) -> Path:
    path = folder / logs.file_name(day)
    with path.open("ab") as file:
        for one in entries:
            file.write(FORMATS[form](one, MOST) + below)
    return path


def messages(answer: Answer) -> list[str]:
    assert (answer.code, answer.err) == (0, "")
    return [json.loads(line)["message"] for line in answer.out.splitlines()]


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_was_written_is_read_back_in_both_formats(form: str, tmp_path: Path) -> None:
    nasty = "a \x1b[31m \u202e b\nc job=9 attempt=1 task=x"
    for one in (
        entry("plain"),
        entry(nasty, "error", job=12),
        entry("", "debug", process="scheduler"),
        replace(entry("x", "crit"), job=logs.JobContext(3, 2, "w-1", "a b")),
        entry("gone wrong", job=5, trace="Traceback (most recent call last):\n  x\nValueError"),
    ):
        line = parse(FORMATS[form](one, MOST).removesuffix(b"\n"))
        assert line is not None
        assert line.stamp == "2026-11-20 12:00:00.000"
        assert NUMBERS[line.level] == one.level
        assert (line.process, line.pid) == (one.process, one.pid)
        assert line.job == (one.job.job_id if one.job else None)
        if form == "json":
            assert (line.message, line.traceback) == (one.message, one.trace)
        if one.message == "plain":
            assert line.message == "plain"


def test_the_last_ones_come_unless_more_or_fewer_are_asked_for(
    folder: Path, tmp_path: Path
) -> None:
    write(folder, *(entry(f"number {n}") for n in range(60)))
    write(folder, *(entry(f"number {n}") for n in range(60, 70)), day=DAY + timedelta(1))
    said = messages(call(tmp_path, "logs", "--json"))
    assert said == [f"number {n}" for n in range(50, 70)]
    said = messages(call(tmp_path, "logs", "--json", "-n", "15"))
    assert said == [f"number {n}" for n in range(55, 70)]
    assert messages(call(tmp_path, "logs", "--json", "-n", "1000")) == [
        f"number {n}" for n in range(70)
    ]
    assert call(tmp_path, "logs", "-n", "0").out == ""
    plain = call(tmp_path, "logs", "-n", "1").out
    assert plain == "2026-11-20 12:00:00.000 info  worker default[0] 4711 number 69\n"


def test_all_of_a_job_is_found_over_all_days(folder: Path, tmp_path: Path) -> None:
    yesterday = [entry(f"of {n}", job=n) for n in range(1, 40)]
    write(folder, *yesterday, day=DAY - timedelta(1), form="json")
    write(
        folder,
        entry("printed", job=12),
        entry("printed by another: job 12", job=13),
        entry("schedule nightly: job 12", process="scheduler"),
        entry("schedule nightly: job 123", process="scheduler"),
        entry("7 jobs, 10 to 17, in 3.0 ms"),
        entry("7 jobs, 13 to 17, in 3.0 ms"),
        entry("a failure", "error", job=12, trace="Traceback"),
        entry("of another", job=112),
    )
    said = messages(call(tmp_path, "logs", "--json", "--job", "12"))
    assert said == [
        "of 12",
        "printed",
        "schedule nightly: job 12",
        "7 jobs, 10 to 17, in 3.0 ms",
        r"a failure\nTraceback",
    ]
    assert messages(call(tmp_path, "logs", "--json", "--job", "12", "-n", "1")) == said[-1:]
    assert (
        messages(call(tmp_path, "logs", "--json", "--job", "12", "--level", "error")) == said[-1:]
    )
    assert messages(call(tmp_path, "logs", "--json", "--job", "9999")) == []


def test_levels_and_tasks_choose_lines(folder: Path, tmp_path: Path) -> None:
    other = logs.JobContext(2, 1, "w", "resize")
    for form in FORMATS:
        levels = [entry(f"{form} {level}", level, job=1) for level in LEVELS]
        write(folder, *levels, replace(entry(f"{form} resized"), job=other), form=form)
    said = messages(call(tmp_path, "logs", "--json", "--level", "warning"))
    assert said == [f"{form} {level}" for form in FORMATS for level in ("warn", "error", "crit")]
    said = messages(call(tmp_path, "logs", "--json", "--task", "resize"))
    assert said == [f"{form} resized" for form in FORMATS]
    assert messages(call(tmp_path, "logs", "--json", "--task", "resiz")) == []


def test_since_is_a_moment_in_the_middle_of_a_file(folder: Path, tmp_path: Path) -> None:
    minutes = [entry(f"minute {n}", created=NOON + 60 * n) for n in range(300)]
    before = [replace(one, created=one.created - 86_400) for one in minutes]
    write(folder, *before, day=DAY - timedelta(1))
    write(folder, *minutes)
    with mock.patch.object(reading, "BLOCK", 512):
        said = messages(call(tmp_path, "logs", "--json", "--since", "2026-11-20T16:50"))
        assert said[-10:] == [f"minute {n}" for n in range(290, 300)]
        assert len(messages(call(tmp_path, "logs", "--json", "--since", "2026-11-20T13:00"))) == 240
        said = messages(call(tmp_path, "logs", "--json", "--since", "2026-11-20T13:00", "-n", "2"))
        assert said == ["minute 298", "minute 299"]


def test_whatever_the_blocks_are_nothing_is_lost_and_nothing_comes_twice(folder: Path) -> None:
    """Against the same lines picked one by one, over random logs."""
    chance = random.Random(3)
    for _ in range(60):
        for path in folder.iterdir():
            path.unlink()
        pieces: list[bytes] = []
        for day in range(3):
            form = chance.choice(list(FORMATS))
            for _ in range(chance.randint(0, 40)):
                job = chance.choice([None, 1, 2, 11])
                text = "x" * chance.choice([0, 3, 200])
                one = entry(text, chance.choice(LEVELS), job=job)
                below = chance.choice([b"", b"", b"", b"nobody's\n", b"two\njob=1 lines\n"])
                pieces.append(FORMATS[form](one, MOST) + below)
                write(folder, one, day=DAY + timedelta(day), form=form, below=below)
        sought = chance.choice([Sought(), Sought(job=1), Sought(level="error")])
        fitting = []
        for piece in pieces:
            line = parse(piece.partition(b"\n")[0])
            if line is not None and sought.fits(line):
                fitting.append(piece)
        most = chance.choice([None, 1, 5, 100])
        with mock.patch.object(reading, "BLOCK", chance.choice([40, 257, 4096])):
            reader = Reader(folder, start_of(folder, sought, most), sought)
            read = b"".join(reader.read())
            reader.close()
        assert read == b"".join(fitting if most is None else fitting[-most:])


def test_control_characters_are_visible_and_foreign_lines_stay_with_their_head(
    folder: Path, tmp_path: Path
) -> None:
    foreign = b"a library said \x1b[2J\xff\n  and more\n"
    write(folder, entry("first", job=1), below=foreign)
    write(folder, entry("second", job=2))
    answer = call(tmp_path, "logs", "--job", "1")
    assert answer.out.splitlines()[1:] == [r"a library said \x1b[2J\xff", "  and more"]
    assert "\x1b" not in call(tmp_path, "logs").out
    assert call(tmp_path, "logs", "--job", "2").out.count("\n") == 1


def test_on_a_terminal_levels_have_colours_and_tracebacks_stand_below(
    folder: Path, tmp_path: Path
) -> None:
    trace = 'Traceback (most recent call last):\n  File "shop.py"\nValueError: \x1b[31mno'
    for form in FORMATS:
        write(folder, entry("it failed", "error", job=1, trace=trace), form=form)
    with mock.patch("qsuper.cli.logs.sys") as fake, mock.patch("qsuper.cli.colour.sys") as other:
        fake.stdout.isatty.return_value = other.stdout.isatty.return_value = True
        call(tmp_path, "logs", TERM="xterm")
        shown = "".join(words.args[0] for words in fake.stdout.write.call_args_list)
        fake.stdout.write.reset_mock()
        call(tmp_path, "logs", TERM="xterm", NO_COLOR="1")
        plain = "".join(words.args[0] for words in fake.stdout.write.call_args_list)
    assert shown.count("\x1b[31m") == 2
    assert "\x1b" not in plain
    assert plain.splitlines()[1:4] == [
        "    Traceback (most recent call last):",
        '      File "shop.py"',
        r"    ValueError: \x1b[31mno",
    ]
    assert plain.splitlines()[:4] == plain.splitlines()[4:]
    piped = call(tmp_path, "logs").out.splitlines()
    assert len(piped) == 2
    assert piped[0] == piped[1]


def test_a_log_that_goes_elsewhere_or_is_not_there_is_said_with_the_mend(tmp_path: Path) -> None:
    answer = call(tmp_path, "logs", QSUPER_LOG__DIR="-")
    assert (answer.code, answer.out) == (1, "")
    assert "journalctl" in answer.err
    answer = call(tmp_path, "logs")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("qsuper: no log in ")


class Following:
    """What a reader finds while the log grows."""

    def __init__(self, folder: Path, sought: Sought) -> None:
        self.reader = Reader(folder, start_of(folder, sought, 0), sought)

    def __call__(self) -> list[str]:
        lines = b"".join(self.reader.read()).splitlines()
        return [line.message if (line := parse(raw)) else raw.decode() for raw in lines]


@pytest.fixture
def follow(folder: Path) -> Iterator[Following]:
    following = Following(folder, Sought())
    yield following
    following.reader.close()


def test_what_is_written_later_follows_a_line_that_is_half_there_later_still(
    folder: Path, follow: Following
) -> None:
    assert follow() == []
    path = write(folder, entry("first"))
    assert follow() == ["first"]
    assert follow() == []
    line = text_line(entry("torn"), MOST)
    with path.open("ab", buffering=0) as file:
        file.write(line[:30])
        assert follow() == []
        file.write(line[30:])
    assert follow() == ["torn"]


def test_the_next_days_file_follows_and_a_late_line_of_the_day_before_is_not_missed(
    folder: Path, follow: Following
) -> None:
    write(folder, entry("before midnight"))
    assert follow() == ["before midnight"]
    write(folder, entry("after"), day=DAY + timedelta(1))
    assert follow() == ["after"]
    write(folder, entry("late"))
    write(folder, entry("after, too"), day=DAY + timedelta(1))
    assert follow() == ["late", "after, too"]
    write(folder, entry("days later"), day=DAY + timedelta(5))
    assert follow() == ["days later"]


def test_a_file_that_was_moved_away_or_emptied_is_followed_anew(
    folder: Path, follow: Following
) -> None:
    path = write(folder, entry("one"))
    assert follow() == ["one"]
    path.rename(folder / "moved.old")
    with (folder / "moved.old").open("ab") as file:
        file.write(text_line(entry("still there"), MOST))
    assert follow() == ["still there"]
    write(folder, entry("anew"))
    assert follow() == ["anew"]
    os.truncate(path, 0)
    write(folder, entry("x"))
    assert follow() == ["x"]


def test_following_shows_what_comes_until_it_is_interrupted(folder: Path, tmp_path: Path) -> None:
    write(folder, entry("old", job=1))
    looks: list[int] = []

    def sleep(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 1:
            write(folder, entry("of another", job=2), entry("new", job=1))
        elif len(looks) == 2:
            write(folder, entry("tomorrow", job=1), day=DAY + timedelta(1))
        else:
            raise KeyboardInterrupt

    with mock.patch("qsuper.cli.logs.time.sleep", sleep):
        said = messages(call(tmp_path, "logs", "-f", "--json", "--job", "1"))
    assert said == ["old", "new", "tomorrow"]


def test_following_waits_for_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    def sleep(_seconds: float) -> None:
        folder = tmp_path / "var" / "log"
        if folder.exists():
            raise KeyboardInterrupt
        folder.mkdir(parents=True)
        write(folder, entry("first"))

    with mock.patch("qsuper.cli.logs.time.sleep", sleep):
        assert messages(call(tmp_path, "logs", "-f", "--json")) == ["first"]


def test_what_the_handler_writes_is_followed(folder: Path, follow: Following) -> None:
    """The real writer beside the real reader."""
    handler = logs.setup(LogConfig(dir=str(folder)), "worker default[0]")
    found: list[str] = []
    try:
        writer = threading.Thread(target=warn, args=(logging.getLogger("qsuper.worker"), 2000))
        writer.start()
        wait_for(lambda: len(collected(found, follow())) >= 2000)
        writer.join()
    finally:
        logs.close()
        handler.close()
    assert found == [f"number {n}" for n in range(2000)]


def warn(logger: logging.Logger, times: int) -> None:
    for number in range(times):
        logger.warning("number %d", number)


def collected(found: list[str], more: list[str]) -> list[str]:
    found += more
    return found


def test_a_strangers_line_that_looks_like_ours_is_nobodys() -> None:
    stranger = '{"time":"x","level":"info","process":"x","pid":1,"message":"x"}'
    assert parse(stranger.encode()) is None
    ours = stranger.replace('"x"', '"2026-11-20T14:03:07.123+01:00"', 1)
    assert (found := parse(ours.encode())) is not None
    assert found.stamp == "2026-11-20 14:03:07.123"
