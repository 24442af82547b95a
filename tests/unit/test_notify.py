"""The messages to the service manager, one by one."""

import os
from pathlib import Path

import pytest

from qsuper.master.notify import Notifier
from tests.acceptance.service_manager import ServiceManager


@pytest.mark.parametrize(
    ("environ", "watchdog"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_for_the_process_it_names(
    environ: dict[str, str], watchdog: float | None
) -> None:
    assert Notifier(environ).watchdog == watchdog
    assert not environ, "and nothing of it is left for children"


@pytest.mark.parametrize("address", ["", "/no/such/socket", "vsock:2:1234", "@nobody-listens"])
def test_nobody_there_is_no_error(address: str) -> None:
    Notifier({"NOTIFY_SOCKET": address}).say(READY=1)


def test_a_line_break_in_a_status_begins_no_other_field(tmp_path: Path) -> None:
    manager = ServiceManager(f"@qsuper-test-{tmp_path.name}-{os.getpid()}")
    Notifier(manager.environ()).say(STATUS="broken\nREADY=1")
    assert [one.fields for one in manager.messages()] == [{"STATUS": "broken READY=1"}]
    manager.close()
