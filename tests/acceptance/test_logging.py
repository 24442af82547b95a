"""Whatever jobs print, the log holds whole records, one to a line."""

import json
import re
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows

APP = """
import logging, os, sys
from qsuper import Queue

queue = Queue()
shop = logging.getLogger("shop")

@queue.task
def say(n, lines):
    for line in range(lines):
        print(f"printed {n} {line}")
        shop.info("logged %d %d", n, line)

@queue.task
def binary(n):
    os.write(1, bytes(range(256)) * 16)
    os.write(2, b"\\xff\\xfe\\x00\\x1b[2J\\r\\x07 forged\\x85line\\u2028")
    print(f"after {n}")

@queue.task
def flood(n):
    os.write(1, b"x" * 1024 * 1024)
    os.write(1, f"end of {n}".encode())

@queue.task
def forge(n):
    print("2026-11-20 00:00:00.000 error worker default[0] 1 job=1 forged")
    shop.info("one\\n2026-11-20 00:00:00.000 error worker default[0] 1 job=1 forged %s", n)
    raise ValueError("first\\nsecond\\x1b[31m\\udcff")
"""
CHILD = r"(master|scheduler|keeper|worker default\[\d+\]|default\[\d+\])"
HEAD = re.compile(
    rf"(?P<stamp>\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}}) (debug|info |warn |error|crit ) {CHILD}"
    r" \d+ (?:job=(?P<job>\d+) attempt=(?P<attempt>\d+) worker=(?P<worker>[0-9a-f]{12}-\d+)"
    r" task=(?P<task>\S+) )?(?P<message>.*)"
)
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
SPEAKERS = range(1, 81)
LINES = 40
OTHERS = {"binary": range(101, 111), "flood": range(111, 116), "forge": range(116, 126)}


@pytest.fixture
def rows(folder: Path) -> Rows:
    """On SQLite: what is printed is the same whatever the store."""
    return Rows(f"sqlite:///{folder}/qsuper.db")


@pytest.fixture
def printing(rows: Rows, folder: Path) -> Iterator[Daemon]:
    """A daemon whose jobs print."""
    (folder / "shop.py").write_text(APP)
    daemon = Daemon(folder, rows.url)
    yield daemon
    daemon.clean_up()


def add_all(rows: Rows) -> int:
    rows.add((n, "say", {"n": n, "lines": LINES}) for n in SPEAKERS)
    for task, numbers in OTHERS.items():
        rows.add(((n, task, {"n": n}) for n in numbers), max_attempts=1)
    return len(SPEAKERS) + sum(map(len, OTHERS.values()))


def test_every_line_is_one_whole_record_whatever_jobs_print(
    printing: Daemon, rows: Rows, figures: Figures
) -> None:
    printing.write_config(app="shop:queue")
    printing.start()
    jobs = add_all(rows)
    printing.wait_until(lambda: rows.count(State.DONE, State.DEAD) == jobs, "all jobs ended")
    assert rows.count(State.DEAD) == len(OTHERS["forge"])
    assert printing.stop() == 0

    raw = log_file(printing).read_bytes()
    assert raw.endswith(b"\n")
    text = raw.decode("utf-8")
    assert not CONTROL.search(text)
    lines = text.removesuffix("\n").split("\n")
    records = [HEAD.fullmatch(line) for line in lines]
    torn = [line for line, record in zip(lines, records, strict=True) if record is None]
    assert not torn, torn[:3]

    said = Counter(
        (record["job"], record["message"])
        for record in records
        if record and record["task"] == "say"
    )
    for n in SPEAKERS:
        for line in range(LINES):
            assert said[str(n), f"printed {n} {line}"] == 1
            assert said[str(n), f"logged {n} {line}"] == 1
    spoke = {record["job"] for record in records if record and record["job"]}
    assert spoke == {str(n) for n in [*SPEAKERS, *(n for some in OTHERS.values() for n in some)]}
    for record in filter(None, records):
        if "forged" in record["message"] or "end of" in record["message"]:
            assert record["job"]
            assert int(record["job"]) > 100
        if record["job"]:
            assert record["attempt"] == "1"
    longest = max(map(len, lines))
    figures(records=len(records), torn=len(torn), longest_line=longest)
    assert longest < 256 * 1024


def test_json_parses_line_by_line_while_four_workers_print_at_once(
    printing: Daemon, rows: Rows, figures: Figures
) -> None:
    printing.write_config(app="shop:queue", log={"format": "json"})
    printing.start()
    jobs = add_all(rows)
    printing.wait_until(lambda: rows.count(State.DONE, State.DEAD) == jobs, "all jobs ended")
    assert printing.stop() == 0

    raw = log_file(printing).read_bytes()
    records: list[dict[str, Any]] = [json.loads(line) for line in raw.split(b"\n")[:-1]]
    assert raw.endswith(b"\n")
    said = Counter(
        (record["job"], record["message"]) for record in records if record.get("task") == "say"
    )
    for n in SPEAKERS:
        for line in range(LINES):
            assert said[n, f"printed {n} {line}"] == said[n, f"logged {n} {line}"] == 1
    about_jobs = [record for record in records if "job" in record]
    assert all(
        record["attempt"] == 1 and re.fullmatch(r"[0-9a-f]{12}-\d+", record["worker"])
        for record in about_jobs
    )
    workers = {record["worker"] for record in about_jobs}
    figures(records=len(records), about_jobs=len(about_jobs), workers=len(workers))
    assert len(workers) > 1, "nobody printed at the same time"


def test_usr1_opens_the_log_anew_in_every_process(
    printing: Daemon, rows: Rows, figures: Figures
) -> None:
    printing.write_config(app="shop:queue")
    printing.start()
    rows.add((n, "say", {"n": n, "lines": 1}) for n in range(1, 41))
    printing.wait_until(lambda: rows.count(State.DONE) == 40, "the first jobs are done")
    path = log_file(printing)
    moved = path.with_name("moved.old")
    path.rename(moved)
    printing.signal(signal.SIGUSR1)
    printing.wait_until(path.exists, "the file is made anew")
    rows.add((n, "say", {"n": n, "lines": 1}) for n in range(41, 81))
    printing.wait_until(lambda: rows.count(State.DONE) == 80, "the last jobs are done")
    assert printing.stop() == 0

    before, after = (printed_in(one) for one in (moved, path))
    assert before | after == set(range(1, 81))
    assert not before & after
    assert before >= set(range(1, 41))
    figures(in_the_old_file=len(before), in_the_new_file=len(after))
    assert after, "nothing was written to the new file"


def log_file(daemon: Daemon) -> Path:
    """The day-file; the newest, should midnight have passed."""
    return max((daemon.folder / "var" / "log").glob("*.log"))


def printed_in(path: Path) -> set[int]:
    return {int(n) for n in re.findall(r"printed (\d+) 0$", path.read_text(), re.MULTILINE)}
