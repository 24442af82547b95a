"""The log: whole lines, the right day, nothing that kills a process."""

import errno
import json
import logging
import os
import random
import signal
import time
import timeit
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from qsuper import logs
from qsuper.config import LogConfig
from qsuper.errors import ConfigError
from qsuper.logs import dayfile
from qsuper.logs.formats import escape, shorten
from qsuper.logs.handler import LogHandler

logger = logging.getLogger("qsuper.worker")


class Now:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = at("2026-11-20 14:03:07")

    def __call__(self) -> float:
        return self.time


def at(moment: str) -> float:
    return time.mktime(time.strptime(moment, "%Y-%m-%d %H:%M:%S"))


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def put_in_place(tmp_path: Path, now: Now) -> Iterator[Callable[..., LogHandler]]:
    """Sets the log up in a temp folder, and undoes it."""
    level = logging.getLogger().level

    def put(process: str = "worker default[0]", **keys: object) -> LogHandler:
        log = LogConfig(**{"dir": str(tmp_path / "log"), **keys})  # type: ignore[arg-type]
        return logs.setup(log, process, clock=now)

    yield put
    logs.clear_job()
    logs.close()
    logging.getLogger().setLevel(level)


def lines(folder: Path, day: str = "2026-11-20") -> list[str]:
    return (folder / "log" / f"qsuper-{day}.log").read_text().splitlines()


def objects(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines(folder)]


def record(message: str, created: float, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("qsuper.worker", logging.INFO, "", 0, message, (), None)
    made.created = created
    made.__dict__.update(fields)
    return made


PutInPlace = Callable[..., LogHandler]


def test_a_line_reads_as_documented(put_in_place: PutInPlace, tmp_path: Path, now: Now) -> None:
    handler = put_in_place()
    logs.job_context(12, 1, "default[0]", "send_msg")
    handler.handle(record("took 3 ms", now() + 0.1239, process=4711))
    assert lines(tmp_path) == [
        "2026-11-20 14:03:07.123 info  worker default[0] 4711 job=12 attempt=1 task=send_msg "
        "took 3 ms"
    ]


def test_a_json_line_has_the_same_in_fields(
    put_in_place: PutInPlace, tmp_path: Path, now: Now
) -> None:
    handler = put_in_place(format="json")
    logs.job_context(12, 1, "default[0]", "send_msg")
    handler.handle(record("grüße", now() + 0.1239, process=4711))
    assert objects(tmp_path) == [
        {
            "time": "2026-11-20T14:03:07.123+01:00",
            "level": "info",
            "process": "worker default[0]",
            "pid": 4711,
            "logger": "qsuper.worker",
            "job": 12,
            "attempt": 1,
            "worker": "default[0]",
            "task": "send_msg",
            "message": "grüße",
        }
    ]


def test_what_the_jobs_own_code_logs_carries_the_job(
    put_in_place: PutInPlace, tmp_path: Path
) -> None:
    put_in_place()
    logs.job_context(12, 3, "default[0]", "send_msg")
    logging.getLogger("shop.mail").warning("bounced")
    logs.clear_job()
    logging.getLogger("shop.mail").warning("idle")
    of_the_job, later = lines(tmp_path)
    assert of_the_job.endswith(" job=12 attempt=3 task=send_msg bounced")
    assert " warn " in of_the_job
    assert "job=" not in later
    assert logs.current_job() is None


def test_a_line_about_another_processs_job_names_its_worker(
    put_in_place: PutInPlace, tmp_path: Path
) -> None:
    put_in_place("scheduler")
    logger.error("was killed", extra=logs.about_job(7, 2, "mail[1]", "x y=1\n"))
    (line,) = lines(tmp_path)
    assert line.endswith(r" job=7 attempt=2 worker=mail[1] task=x\x20y=1\n was killed")


def test_each_record_is_written_once_and_levels_below_are_not(
    put_in_place: PutInPlace, tmp_path: Path
) -> None:
    put_in_place("early")
    put_in_place("master", level="warning")
    for name in ("qsuper", "qsuper.master", "shop"):
        logging.getLogger(name).warning("once")
        logging.getLogger(name).info("never")
    assert [line.split(" ")[-1] for line in lines(tmp_path)] == ["once"] * 3
    assert all(" master " in line for line in lines(tmp_path))


def test_our_lines_survive_an_application_that_sets_up_its_own_logging(
    put_in_place: PutInPlace, tmp_path: Path
) -> None:
    put_in_place()
    logging.getLogger().handlers.clear()
    logger.warning("still here")
    logger.disabled = True
    put_in_place()
    logger.warning("again")
    assert [line.rpartition(" ")[2] for line in lines(tmp_path)] == ["here", "again"]


NASTY = "a\nb\r\tc\x00\x1b[31m\x7f\x9b\u2028\u202e\ud800\udcffend"


def test_control_characters_are_visible_and_a_record_is_one_line(
    put_in_place: PutInPlace, tmp_path: Path
) -> None:
    put_in_place()
    logger.warning("%s", NASTY)
    (line,) = lines(tmp_path)
    assert line.endswith(r"a\nb\r\tc\x00\x1b[31m\x7f\x9b\u2028\u202e\ud800\xffend")
    assert line.isprintable()
    assert escape("grüße 你好 🎉") == "grüße 你好 🎉"


def test_json_brings_control_characters_back_and_stays_valid(
    put_in_place: PutInPlace, tmp_path: Path
) -> None:
    put_in_place(format="json")
    logs.job_context(1, 1, NASTY, NASTY)
    logger.warning("%s", NASTY)
    (line,) = lines(tmp_path)
    assert line.isprintable()
    visible = NASTY.replace("\ud800", r"\ud800").replace("\udcff", r"\xff")
    assert json.loads(line)["message"] == json.loads(line)["task"] == visible


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_traceback_stands_on_the_same_line(
    put_in_place: PutInPlace, tmp_path: Path, style: str
) -> None:
    put_in_place(format=style)
    try:
        raise RuntimeError("no\nluck")
    except RuntimeError:
        logger.exception("failed")
    (line,) = lines(tmp_path)
    if style == "json":
        assert json.loads(line)["traceback"].endswith("RuntimeError: no\nluck")
        assert json.loads(line)["message"] == "failed"
    else:
        assert r"failed\nTraceback (most recent call last):\n  File " in line
        assert line.endswith(r"\nRuntimeError: no\nluck")


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("filling", ["x", "ä", "\x1b", "\ud800", "🎉"])
def test_a_huge_record_is_cut_in_the_middle_to_a_line_of_64_kib(
    put_in_place: PutInPlace, tmp_path: Path, style: str, filling: str
) -> None:
    put_in_place(format=style)
    logs.job_context(1, 1, "w" * 999, filling * 999)
    try:
        raise RuntimeError(filling * 300_000 + "end of trace")
    except RuntimeError:
        logger.exception("begin %s end", filling * 300_000)
    (line,) = lines(tmp_path)
    assert 4096 < len(line.encode()) < 64 * 1024
    assert "begin" in line
    assert "…" in line
    assert "end of trace" in line
    if style == "json":
        assert json.loads(line)["job"] == 1


def test_shortening_keeps_both_ends() -> None:
    assert shorten("abcdefgh", 8) == "abcdefgh"
    assert shorten("abcdefgh", 5) == "ab…gh"
    assert len(shorten("x" * 99, 10)) <= 10


def test_a_record_that_cannot_be_formatted_is_said_and_harms_nobody(
    put_in_place: PutInPlace, tmp_path: Path
) -> None:
    class Hostile(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    handler = put_in_place()
    logger.warning("%d", "x")
    logger.warning(Hostile())
    try:
        raise Hostile
    except Hostile:
        logger.exception("hostile")
    first, second, third = lines(tmp_path)
    assert first.endswith("%d (not formatted: TypeError)")
    assert second.endswith("? (not formatted: ValueError)")
    assert "hostile" in third
    assert handler.dropped == 0


def test_at_midnight_the_next_days_file_begins(
    put_in_place: PutInPlace, tmp_path: Path, now: Now
) -> None:
    put_in_place()
    for moment in ("2026-11-20 23:59:59", "2026-11-21 00:00:00", "2026-11-20 23:59:58"):
        now.time = at(moment)
        logger.warning(moment)
    assert [line[-8:] for line in lines(tmp_path)] == ["23:59:59", "23:59:58"]
    assert [line[-8:] for line in lines(tmp_path, "2026-11-21")] == ["00:00:00"]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-12-31", 24),
        ("Asia/Kathmandu", "2028-02-29", 24),
    ],
)
def test_a_local_day_is_as_long_as_the_clocks_say(
    monkeypatch: pytest.MonkeyPatch, zone: str, day: str, hours: int
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    start, end = dayfile.local_day(at(f"{day} 12:00:00"))
    assert (end - start) / 3600 == hours
    assert start == at(f"{day} 00:00:00")
    assert dayfile.local_day(start) == (start, end)
    assert dayfile.local_day(end - 1) == (start, end)
    assert dayfile.local_day(end)[0] == end


def test_a_day_without_a_midnight_still_has_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    # Clocks were put forward from 0:00 to 1:00.
    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    time.tzset()
    for quarter in range(4 * 48):
        moment = at("2018-11-03 00:00:00") + quarter * 900
        start, end = dayfile.local_day(moment)
        assert start <= moment < end
        last = time.localtime(end - 1)
        assert time.localtime(start)[:3] == time.localtime(moment)[:3] == last[:3]


def test_reopen_writes_to_a_fresh_file_after_one_was_moved_away(
    put_in_place: PutInPlace, tmp_path: Path
) -> None:
    put_in_place()
    logger.warning("first")
    (tmp_path / "log" / "qsuper-2026-11-20.log").rename(tmp_path / "moved")
    logger.warning("second")
    logs.reopen()
    logger.warning("third")
    assert len((tmp_path / "moved").read_text().splitlines()) == 2
    assert [line.rpartition(" ")[2] for line in lines(tmp_path)] == ["third"]


def test_only_day_files_past_their_days_are_removed(tmp_path: Path) -> None:
    kept = [
        "qsuper-2026-11-20.log",
        "qsuper-2026-11-06.log",
        "qsuper-2026-11-99.log",
        "qsuper-2020-01-01.log.gz",
        "xqsuper-2020-01-01.log",
        "qsuper-2020-01-01.log\n",
        "qsuper-٢٠٢٠-01-01.log",
        "orders.csv",
    ]
    old = ["qsuper-2019-12-31.log", "qsuper-2026-11-05.log"]
    for name in kept + old:
        (tmp_path / name).write_text("x")
    (tmp_path / "qsuper-2020-02-02.log").mkdir()
    assert logs.remove_old(tmp_path, 14, date(2026, 11, 20)) == old
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, "qsuper-2020-02-02.log"])
    assert logs.remove_old(tmp_path, 36500, date(1, 2, 3)) == []
    assert logs.remove_old(tmp_path / "gone", 14, date(2026, 11, 20)) == []


def test_many_processes_write_whole_lines(put_in_place: PutInPlace, tmp_path: Path) -> None:
    processes, records = 4, 200
    children = [fork_a_writer(put_in_place, number, records) for number in range(processes)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * processes
    assert all_whole(lines(tmp_path), processes, records)


def test_the_check_for_whole_lines_sees_two_that_ran_into_each_other() -> None:
    good = [f"child{number} {str(number) * size}" for number in (0, 1) for size in sizes(number, 1)]
    assert all_whole(good, 2, 1)
    assert not all_whole(good[:1], 2, 1)
    assert not all_whole([good[0][:-1] + good[1], good[0][-1:]], 2, 1)
    assert not all_whole([good[0], good[1][:-1] + "0"], 2, 1)


def all_whole(written: list[str], processes: int, records: int) -> bool:
    seen = [line.split(" ")[-2:] for line in written]
    expected = [
        [f"child{number}", str(number) * size]
        for number in range(processes)
        for size in sizes(number, records)
    ]
    return sorted(seen) == sorted(expected)


def sizes(seed: int, count: int) -> list[int]:
    return [random.Random(seed * 1000 + turn).randint(1, 40_000) for turn in range(count)]


def fork_a_writer(put_in_place: PutInPlace, number: int, records: int) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        put_in_place(f"writer child{number}")
        for size in sizes(number, records):
            logger.warning("child%d %s", number, str(number) * size)
        status = 0
    finally:
        os._exit(status)


def test_a_full_disk_drops_says_so_once_and_goes_on(
    put_in_place: PutInPlace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    handler = put_in_place()
    logger.warning("before")
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if descriptor == handler.complaints:
            return write(descriptor, data)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        logger.warning("lost")
        logger.warning("lost as well")
    logger.warning("after")
    assert handler.dropped == 2
    complaint = capfd.readouterr().err
    assert complaint.count("\n") == 1
    assert "worker default[0] cannot write its log (No space left on device)" in complaint
    before, after, said = lines(tmp_path)
    assert before.endswith("before")
    assert after.endswith("after")
    assert "2 lines were dropped" in said


def test_a_line_cut_short_is_not_glued_to_the_next(
    put_in_place: PutInPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = put_in_place()
    write = os.write
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:9]))
        logger.warning("half")
    logger.warning("whole")
    assert handler.dropped == 1
    half, whole, _ = lines(tmp_path)
    assert len(half) == 9
    assert whole.endswith("whole")


def test_a_log_that_cannot_be_opened_kills_nobody(
    put_in_place: PutInPlace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    handler = put_in_place()
    in_the_way = tmp_path / "log" / "qsuper-2026-11-20.log"
    in_the_way.mkdir()
    logger.warning("lost")
    assert handler.dropped == 1
    assert "Is a directory" in capfd.readouterr().err
    in_the_way.rmdir()
    (tmp_path / "log").rmdir()
    logger.warning("the folder is made anew")
    assert "anew" in lines(tmp_path)[0]


def test_a_folder_that_cannot_be_made_is_told_at_set_up_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"^\[log\] dir: cannot make .*; name a folder that can"):
        logs.setup(LogConfig(dir=str(tmp_path / "file" / "log")), "master")


def test_standard_output_is_that_of_the_first_set_up(
    put_in_place: PutInPlace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put_in_place(dir="-")
    first = os.dup(1)
    with (tmp_path / "elsewhere").open("wb") as elsewhere:
        os.dup2(elsewhere.fileno(), 1)
    try:
        logger.warning("one")
        put_in_place(dir="-")
        logger.warning("two")
        logs.reopen()
        logger.warning("three")
    finally:
        os.dup2(first, 1)
        os.close(first)
    said = capfd.readouterr().out.splitlines()
    assert [line.rpartition(" ")[2] for line in said] == ["one", "two", "three"]
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_into_a_pipe_lines_are_short_enough_to_stay_whole() -> None:
    reader, writer = os.pipe()
    output = dayfile.StandardOutput(writer)
    assert output.line_most == 4096
    for descriptor in (reader, writer):
        os.close(descriptor)
    output.close()


def test_setting_up_again_leaves_no_descriptor_behind(put_in_place: PutInPlace) -> None:
    put_in_place()
    logger.warning("x")
    before = len(os.listdir("/proc/self/fd"))
    for style in ("text", "json"):
        put_in_place(format=style)
        logger.warning("x")
    assert len(os.listdir("/proc/self/fd")) == before


def test_reopening_in_a_signal_handler_amid_lines_loses_none(
    put_in_place: PutInPlace, tmp_path: Path
) -> None:
    handler = put_in_place()
    before = signal.signal(signal.SIGALRM, lambda *_: logs.reopen())
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for number in range(2000):
            logger.warning("%d", number)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handler.dropped == 0
    assert [int(line.rpartition(" ")[2]) for line in lines(tmp_path)] == list(range(2000))


def test_setting_the_job_costs_next_to_nothing() -> None:
    def nothing(job_id: int, attempt: int, worker: str, task: str) -> None:
        pass

    def cost(function: Callable[[int, int, str, str], None]) -> float:
        return min(timeit.repeat(lambda: function(1, 1, "w", "t"), number=2000, repeat=20))

    # Against an empty function in the same run, so that a slow machine is no failure.
    assert cost(logs.job_context) < 6 * cost(nothing)
    logs.clear_job()
