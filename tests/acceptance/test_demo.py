"""`qsuper demo` as a visitor runs it: its exit code, its last lines, and what it leaves behind."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.acceptance.figures import Figures
from tests.wait import wait_for

DEMO = [sys.executable, "-m", "qsuper", "demo"]


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The demo with `folder` for its temporary files."""
    return subprocess.Popen(
        [*DEMO, *arguments],
        env=os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def small_mailing(folder: Path) -> list[str]:
    """The options for a mailing of forty mails."""
    data = folder / "input"
    data.mkdir()
    people = [f"{uid},Ada {uid},ada.{uid}@mail.example,all" for uid in range(1, 41)]
    (data / "recipients.csv").write_text("\n".join(["uid,name,email,lists", *people]))
    (data / "messages.json").write_text(
        '[{"id": "m", "list": "all", "priority": 0, "subject": "s", "text": "Dear {name}"}]'
    )
    return ["--input", str(data)]


def left_in(folder: Path) -> list[int]:
    """Processes that work in the folder still."""
    return [
        process.info["pid"]
        for process in psutil.process_iter(["pid", "cwd"])
        if str(process.info["cwd"] or "").startswith(str(folder))
    ]


def count(output: str, name: str) -> int:
    found = re.search(rf"^ *{name} +([\d,]+)", output, re.MULTILINE)
    assert found is not None, output
    return int(found[1].replace(",", ""))


def test_the_demo_loses_nothing_although_a_worker_and_the_listener_are_killed(
    folder: Path, figures: Figures
) -> None:
    demo = started(folder)
    output, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, output
    assert "SIGKILL to default[" in output
    assert "began again" in output
    assert count(output, "sent") == 1596
    assert count(output, "lost") == 0
    assert count(output, "retried") == 1
    assert count(output, "duplicated") <= 1
    assert "SIGKILL to the listener" in output
    assert "the listener is back" in output
    assert count(output, "orders") == 24
    assert count(output, "cancelled") > 0
    assert count(output, "wrongly") == 0
    assert count(output, "twice") == 0
    assert os.listdir(folder) == []
    assert left_in(folder) == []
    figures(
        sent=count(output, "sent"),
        retried=count(output, "retried"),
        lost=count(output, "lost"),
        duplicated=count(output, "duplicated"),
        jobs_per_second=count(output, "jobs/s"),
        cancelled=count(output, "cancelled"),
        wrongly=count(output, "wrongly"),
        median_late_ms=count(output, "late"),
    )


@pytest.mark.parametrize("moment", ["mails enqueued", "orders 3 are paid"])
def test_a_demo_that_is_ended_leaves_nothing_behind(folder: Path, moment: str) -> None:
    demo = started(folder, *small_mailing(folder))
    assert demo.stdout is not None
    for line in demo.stdout:
        if moment in line:
            break
    demo.send_signal(signal.SIGTERM)
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, output
    assert os.listdir(folder) == ["input"]
    wait_for(lambda: not left_in(folder), 5)


def test_a_kept_folder_can_be_looked_into(folder: Path) -> None:
    demo = started(folder, "--keep", *small_mailing(folder))
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    (kept,) = folder.glob("qsuper-demo-*")
    config = str(kept / "mailing" / "qsuper.toml")
    shown = subprocess.run(
        [sys.executable, "-m", "qsuper", "--config", config, "show", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "@mail.example" in shown.stdout
