"""The verbs that talk to a daemon, and one that runs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli import call
from tests.wait import wait_for

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `qsuper ARGUMENTS` in the folder; what still runs at the end is stopped."""
    (tmp_path / "qsuper.toml").write_text(
        "[queues.default]\nworkers = 2\n[queues.mail]\nworkers = 1\n"
    )
    started: list[subprocess.Popen[bytes]] = []
    output = (tmp_path / "output").open("wb")

    def run(*arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "qsuper", *arguments]
        environ = {key: text for key, text in os.environ.items() if not key.startswith("QSUPER_")}
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environ, stdout=output, stderr=subprocess.STDOUT
        )
        started.append(process)
        return process

    yield run
    for process in reversed(started):
        process.terminate()
        process.wait(60)
    output.close()


def outside(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`qsuper ARGUMENTS` in a process of its own: it would change this one's logs and signals."""
    command = [sys.executable, "-m", "qsuper", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def status(folder: Path) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(call(folder, "status", "--json").out)
    return shown


def states(folder: Path) -> set[str]:
    return {child["state"] for child in status(folder).get("children", [])}


def wanted(folder: Path) -> dict[str, int]:
    return {queue["name"]: queue["wanted"] for queue in status(folder)["queues"]}


def test_a_daemon_is_shown_scaled_paused_reloaded_and_stopped(start: Start, tmp_path: Path) -> None:
    daemon = start("run")
    wait_for(lambda: states(tmp_path) == {"RUNNING"}, 60)
    assert wanted(tmp_path) == {"default": 2, "mail": 1}
    assert call(tmp_path, "scale", "3").out == "default: 3 workers, mail: 1 worker\n"
    assert call(tmp_path, "scale", "default=-2").out == "default: 1 worker, mail: 1 worker\n"
    assert call(tmp_path, "scale", "+1").out == "default: 2 workers, mail: 1 worker\n"
    zero = call(tmp_path, "scale", "mail=0").out
    assert zero == "default: 2 workers, mail: 0 workers, nothing of it will run here\n"
    assert call(tmp_path, "scale", "mail=auto").out == "default: 2 workers, mail: 1 worker\n"
    refused = call(tmp_path, "scale", "mial=+1")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "default, mail" in refused.err
    call(tmp_path, "pause")
    assert status(tmp_path)["paused"]
    call(tmp_path, "resume")
    assert not status(tmp_path)["paused"]
    assert call(tmp_path, "restart", "scheduler").code == 0
    assert call(tmp_path, "restart", "nobody").code == 1
    assert call(tmp_path, "reload").code == 0
    second = outside(tmp_path, "run")
    assert (second.returncode, second.stderr.count("\n")) == (1, 1)
    assert f"pid {daemon.pid}" in second.stderr
    assert call(tmp_path, "stop").out.startswith("stopped after ")
    assert daemon.wait(10) == 0
    assert call(tmp_path, "status").code == 3


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_daemon_runs_whatever_its_caller_has_closed(
    start: Start, tmp_path: Path, closed: str
) -> None:
    process = subprocess.Popen(
        ["bash", "-c", f"exec {sys.executable} -m qsuper run {closed}"], cwd=tmp_path
    )
    try:
        wait_for(lambda: states(tmp_path) == {"RUNNING"}, 60)
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_a_stop_ends_the_master_that_stands_by_too(start: Start, tmp_path: Path) -> None:
    first = start("run")
    wait_for(lambda: states(tmp_path) == {"RUNNING"}, 60)
    second = start("run", "--wait")
    wait_for(lambda: "standing by" in logged(tmp_path), 60)
    assert call(tmp_path, "stop", "--now").code == 0
    assert (first.wait(10), second.wait(10)) == (0, 0)


def logged(folder: Path) -> str:
    return "".join(path.read_text() for path in (folder / "var/log").glob("*.log"))


def test_a_pass_ends_by_itself_and_a_second_one_meanwhile_does_nothing(
    start: Start, tmp_path: Path
) -> None:
    call(tmp_path, "add", "task")
    # A master that works in the pass's folder stands for a pass that goes on.
    folder = tmp_path / "var/work-1-of-2"
    configuration = tmp_path / "other.toml"
    configuration.write_text(f'state_dir = "{folder}"\n')
    start("--config", str(configuration), "run")
    wait_for((folder / "control.sock").exists, 60)
    meanwhile = outside(tmp_path, "work", "--slice", "1/2")
    assert (meanwhile.returncode, meanwhile.stderr) == (0, "")
    assert meanwhile.stdout.startswith("nothing done, the last pass over slice 1/2 goes on: ")
    assert meanwhile.stdout.count("\n") == 1
    other = outside(tmp_path, "work", "--slice", "0/2")
    assert (other.returncode, other.stdout, other.stderr) == (0, "", "")
