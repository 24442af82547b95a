import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qsuper.errors import OutcomeUnknown, QsuperError
from qsuper.failpoint import ACTIONS, POINTS, _armed, failpoint

PROGRAM = """
from qsuper.failpoint import POINTS, failpoint
for point in POINTS:
    print(point, flush=True)
    failpoint(point)
print("the end")
"""


def run(setting: str | None) -> "subprocess.CompletedProcess[str]":
    """A process that comes by every point in turn, under `setting`."""
    environment = {key: value for key, value in os.environ.items() if key != "QSUPER_FAILPOINT"}
    if setting is not None:
        environment["QSUPER_FAILPOINT"] = setting
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("setting", [None, ""])
def test_without_a_setting_nothing_happens(setting: str | None) -> None:
    done = run(setting)
    assert (done.returncode, done.stdout.split("\n")[-2]) == (0, "the end")


def test_a_kill_ends_the_process_at_its_point_and_not_before() -> None:
    done = run("claimed:kill")
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == list(POINTS[: POINTS.index("claimed") + 1])


def test_a_cut_is_an_unknown_outcome() -> None:
    reached = _armed("ack-sent:cut")
    reached("claimed")
    with pytest.raises(OutcomeUnknown):
        reached("ack-sent")
    with pytest.raises(OutcomeUnknown):
        reached("ack-sent")


def test_with_a_file_it_happens_once_in_the_life_of_the_file(tmp_path: Path) -> None:
    marker = tmp_path / "a@b"
    for reached in (_armed(f"claimed:cut@{marker}"), _armed(f"claimed:cut@{marker}")):
        if not marker.exists():
            with pytest.raises(OutcomeUnknown):
                reached("claimed")
        reached("claimed")
    marker.unlink()
    with pytest.raises(OutcomeUnknown):
        _armed(f"claimed:cut@{marker}")("claimed")


def test_a_stop_waits_until_it_is_continued() -> None:
    environment = os.environ | {"QSUPER_FAILPOINT": "claimed:stop"}
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    child.send_signal(signal.SIGCONT)
    output, _ = child.communicate()
    assert output.endswith("the end\n")
    assert child.returncode == 0


@pytest.mark.parametrize("setting", ["claimed", "claimed:explode", "no-such:kill", ":", "kill"])
def test_a_setting_that_is_none_is_an_error_and_not_a_test_that_tests_nothing(
    setting: str,
) -> None:
    with pytest.raises(QsuperError, match="QSUPER_FAILPOINT="):
        _armed(setting)
    assert run(setting).returncode != 0


def test_the_tests_themselves_run_without_one() -> None:
    for point in POINTS:
        failpoint(point)
    assert ACTIONS == ("kill", "stop", "cut")
