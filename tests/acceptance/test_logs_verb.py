"""`logs` beside a daemon that writes."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qsuper.logs.reading import Reader, start_of
from qsuper.logs.sought import Sought
from qsuper.states import State
from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.acceptance.terminal import Terminal

APP = """
import logging, sys, time
from qsuper import Queue

queue = Queue()
shop = logging.getLogger("shop")

@queue.task
def say(n):
    print(f"printed by {n}\\x1b[31m")
    shop.info("logged by %d", n)

@queue.task
def fail(n):
    print(f"printed by {n}")
    try:
        raise ValueError("first\\nsecond\\x1b[31m")
    except ValueError:
        shop.exception("it failed: %d", n)
    raise RuntimeError(f"so {n} failed")
"""
SPOKEN = range(1, 41)
FAILED = range(101, 106)
GIGABYTE = 1 << 30


@pytest.fixture
def rows(folder: Path) -> Rows:
    """On SQLite: what is logged is the same whatever the store."""
    return Rows(f"sqlite:///{folder}/qsuper.db")


@pytest.fixture
def talking(rows: Rows, folder: Path) -> Iterator[Daemon]:
    (folder / "shop.py").write_text(APP)
    daemon = Daemon(folder, rows.url)
    yield daemon
    daemon.clean_up()


def add_all(rows: Rows) -> None:
    rows.add((n, "say", {"n": n}) for n in SPOKEN)
    rows.add(((n, "fail", {"n": n}) for n in FAILED), max_attempts=1)


def logs(daemon: Daemon, *words: str) -> list[dict[str, Any]]:
    answer = daemon.cli("logs", "--json", *words)
    assert (answer.returncode, answer.stderr) == (0, "")
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.mark.parametrize("form", ["text", "json"])
def test_each_jobs_lines_are_found_with_what_it_printed(
    form: str, talking: Daemon, rows: Rows
) -> None:
    talking.write_config(app="shop:queue", log={"format": form})
    talking.start()
    add_all(rows)
    ended = len(SPOKEN) + len(FAILED)
    talking.wait_until(lambda: rows.count(State.DONE, State.DEAD) == ended, "all have ended")
    assert talking.stop() == 0
    for n in (SPOKEN[0], SPOKEN[-1]):
        found = logs(talking, "--job", str(n))
        said = [line["message"] for line in found]
        assert sum(text.startswith(f"printed by {n}") for text in said) == 1
        assert said.count(f"logged by {n}") == 1
        assert all(line.get("job", n) == n for line in found)
    (failed,) = FAILED[:1]
    text = talking.cli("logs", "--job", str(failed)).stdout
    assert f"printed by {failed}" in text
    assert f"it failed: {failed}" in text
    assert r"Traceback (most recent call last):\n" in text
    assert r"first\nsecond\x1b[31m" in text
    assert "\x1b" not in text
    urgent = logs(talking, "--level", "error", "-n", "1000")
    assert {line["job"] for line in urgent if "it failed" in line["message"]} == set(FAILED)
    tasks = {line.get("task") for line in logs(talking, "--task", "fail", "-n", "1000")}
    assert tasks == {"fail"}


def test_following_on_a_terminal_ends_cleanly(talking: Daemon, rows: Rows) -> None:
    talking.write_config(app="shop:queue")
    talking.start()
    command = talking.command("logs", "-f", "--task", "fail")
    with Terminal(command, talking.folder, talking.environ, width=200) as terminal:
        rows.add([(1, "say", {"n": 1})])
        rows.add([(2, "fail", {"n": 2})], max_attempts=1)
        terminal.printed("it failed: 2")
        terminal.printed("    Traceback (most recent call last):")
        terminal.press("\x03")
        assert terminal.exit_code() == 0
        assert "logged by 1" not in terminal.raw
        assert r"second\x1b[31m" in terminal.raw


def test_a_gigabyte_is_no_obstacle(folder: Path, figures: Figures) -> None:
    line = (
        b"2026-11-20 12:00:00.000 info  worker default[0] 4711 job=%d attempt=1"
        b" worker=0123456789ab-7 task=send_msg message number 123456789 of it\n"
    )
    block = b"".join(line % number for number in range(1000, 9000))
    path = folder / "qsuper-2026-11-20.log"
    with path.open("wb") as file:
        file.write(line % 7)
        while file.tell() < GIGABYTE:
            file.write(block)
        file.write(line % 7)
    took: dict[str, float] = {}
    for name, sought, most in (
        ("last 20", Sought(), 20),
        ("last of the task", Sought(task="send_msg"), 20),
        ("all of a job", Sought(job=7), None),
    ):
        began = time.perf_counter()
        reader = Reader(folder, start_of(folder, sought, most), sought)
        found = list(reader.read())
        reader.close()
        took[name.replace(" ", "_")] = time.perf_counter() - began
        assert len(found) == (most or 2)
        assert found[-1] == line % 7
    path.unlink()
    figures(bytes=GIGABYTE, **{f"{name}_s": value for name, value in took.items()})
