"""What a job prints reaches the log, and what it does to the file reaches no other job."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qsuper.roles.output import Output
from tests.servers.program import find_program

SH = find_program("sh")


@contextmanager
def printing(path: Path) -> Iterator[Output]:
    """What this process prints goes there."""
    texts, kept = (sys.stdout, sys.stderr), (os.dup(1), os.dup(2))
    output = Output(path)
    output.redirect()
    try:
        yield output
    finally:
        sys.stdout, sys.stderr = texts
        for descriptor, before in enumerate(kept, 1):
            os.dup2(before, descriptor)
            os.close(before)


def say(script: str) -> None:
    subprocess.run([SH, "-c", script], check=True)


def stop_appending() -> None:
    fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK)


def test_what_programs_print_is_collected_once(tmp_path: Path) -> None:
    with printing(tmp_path / "output") as output:
        say("echo one; echo two >&2")
        print("three")
        assert output.collect() == "one\ntwo\nthree\n"
        assert output.collect() == ""


def test_a_job_that_stops_the_appending_does_so_for_no_other(tmp_path: Path) -> None:
    with printing(tmp_path / "output") as output:
        stop_appending()
        assert output.collect() == ""
        for _ in range(2):
            say("echo one; echo two >&2")
            assert output.collect() == "one\ntwo\n"


@pytest.mark.parametrize("before", ["", "before\n"])
def test_a_job_that_stops_the_appending_is_heard_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, before: str
) -> None:
    with printing(tmp_path / "output") as output:
        caplog.set_level("INFO", "qsuper.output")
        os.write(1, before.encode())
        stop_appending()
        say("echo one; echo two >&2")
        assert output.collect() == f"{before}one\ntwo\n"
        assert "cut" not in caplog.text


def test_a_script_that_opens_standard_error_anew_empties_what_was_printed(tmp_path: Path) -> None:
    """As the documentation says; and how it is done without."""
    with printing(tmp_path / "output") as output:
        say("echo first; echo oops > /dev/stderr")
        assert "first" not in output.collect()
        say("echo first; echo oops >> /dev/stderr; echo last >&2")
        assert output.collect() == "first\noops\nlast\n"
