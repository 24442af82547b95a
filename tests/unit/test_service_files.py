"""The files for supervisord and systemd agree with what the daemon does."""

from configparser import ConfigParser
from pathlib import Path
from typing import Any

from qsuper.config import WorkerConfig

CONF = Path(__file__).parents[2] / "conf"


def unit() -> dict[str, Any]:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(CONF / "qsuper.service")
    return dict(parser["Service"])


def test_the_files_give_a_stop_more_time_than_the_workers_have() -> None:
    supervisord = ConfigParser(strict=False, interpolation=None, inline_comment_prefixes=(";",))
    supervisord.read(CONF / "supervisord.conf")
    wants = WorkerConfig().stop_timeout + 20
    assert float(supervisord["program:qsuper"]["stopwaitsecs"]) >= wants
    assert float(unit()["TimeoutStopSec"]) >= wants


def test_the_unit_asks_for_what_the_master_says() -> None:
    service = unit()
    assert service["Type"] == "notify"
    assert float(service["WatchdogSec"]) > 0
    assert service["KillMode"] == "mixed"
    assert service["KillSignal"] == "SIGTERM"
