"""`supervisorctl scale` and `supervisorctl qstatus`: a plugin that asks the master itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.daemon import PATIENCE, Daemon

SECTIONS = """
[supervisorctl]
serverurl = unix://{folder}/nobody-listens.sock

[ctlplugin:qsuper]
supervisor.ctl_factory = qsuper.cli.supervisorctl:make_plugin
config = {folder}/qsuper.toml
"""


@pytest.fixture
def conf(daemon: Daemon) -> Path:
    conf = daemon.folder / "supervisorctl.conf"
    conf.write_text(SECTIONS.format(folder=daemon.folder))
    return conf


def ctl(daemon: Daemon, conf: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(conf), *words],
        # Not where qsuper.toml is: the plugin is told.
        cwd="/",
        env=daemon.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_it_scales_and_shows_the_status(daemon: Daemon, conf: Path) -> None:
    daemon.start()
    scaled = ctl(daemon, conf, "scale", "6")
    assert (scaled.returncode, scaled.stdout) == (0, "default: 6 workers\n"), scaled.stderr
    daemon.wait_until(lambda: len(daemon.workers()) == 6, "there are six")
    daemon.wait_until(daemon.is_ready, "they work")
    shown = ctl(daemon, conf, "qstatus")
    assert shown.returncode == 0
    assert "default[5]" in shown.stdout
    assert '"running": true' in ctl(daemon, conf, "qstatus", "--json").stdout
    assert ctl(daemon, conf, "scale", "default=auto").stdout == "default: 4 workers\n"


def test_what_cannot_be_done_is_said_with_its_code(daemon: Daemon, conf: Path) -> None:
    absent = ctl(daemon, conf, "qstatus")
    assert (absent.returncode, "not running" in absent.stdout) == (3, True)
    refused = ctl(daemon, conf, "scale", "6")
    assert refused.returncode == 1
    assert "not running" in refused.stderr
    misused = ctl(daemon, conf, "scale", "many")
    assert misused.returncode == 2
    assert "Traceback" not in misused.stdout + misused.stderr
    quoted = ctl(daemon, conf, "scale", '"6')
    assert (quoted.returncode, quoted.stdout) == (2, "scale: No closing quotation\n")


def test_supervisorctl_helps_with_both(daemon: Daemon, conf: Path) -> None:
    words = ctl(daemon, conf, "help").stdout
    assert "qsuper commands" in words
    assert {"scale", "qstatus"} <= set(words.split())
    assert "mail=4" in ctl(daemon, conf, "help", "scale").stdout
