"""A new version that does not work: seen on the first worker, told in `status`, and no more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.acceptance.shop import Shop

BROKEN = {
    "def versioned(:\n": ("shop.py:1", "SyntaxError: invalid syntax"),
    "\n\nimport no_such_module\n": ("shop.py:3", "ModuleNotFoundError: No module named"),
    "from tests.acceptance.app import queue as q\n": ("shop.py", "has no Queue named 'queue'"),
    "raise RuntimeError('first line\\nsecond line')\n": ("shop.py:1", "first line second line"),
    "raise SystemExit(0)\n": ("shop.py:1", "SystemExit: 0"),
    "import os\nos._exit(7)\n": ("", "exited with 7"),
    "import os\nos.kill(os.getpid(), 9)\n": ("", "killed by SIGKILL"),
}
"""By the text of the module: where `status` says that it went wrong, and how."""
HANGS = "import time\n\nwhile True:\n    time.sleep(3600)\n"
IN_TIME = 60.0
"""Seconds after which a replacement counts as hanging."""


@pytest.fixture
def shop(daemon: Daemon) -> Shop:
    daemon.write_config(app="shop:queue")
    shop = Shop(daemon.folder)
    shop.write(1)
    return shop


def degraded(daemon: Daemon) -> str:
    return "\n".join(daemon.status()["degraded"])


def pids(daemon: Daemon) -> set[int]:
    return {record.pid for record in daemon.workers()}


def run_one(daemon: Daemon, rows: Rows, number: int) -> None:
    rows.add([(number, "versioned", {"n": number})])
    daemon.wait_until(lambda: rows.job(number)["status"] == 1, "it has run")


def mend(daemon: Daemon, shop: Shop, version: int) -> None:
    """A version that works, and a reload that succeeds."""
    before = pids(daemon)
    shop.write(version)
    assert daemon.cli("reload").returncode == 0
    daemon.wait_until(
        lambda: daemon.is_ready() and not pids(daemon) & before, "every worker is replaced"
    )
    daemon.wait_until(lambda: not degraded(daemon), "nothing is degraded any more")


def test_each_kind_of_broken_code_is_told_and_the_old_workers_go_on(
    daemon: Daemon, rows: Rows, shop: Shop, figures: Figures
) -> None:
    daemon.start()
    old = pids(daemon)
    for number, (text, (place, what)) in enumerate(BROKEN.items(), 1):
        shop.write_text(text)
        assert daemon.cli("reload").returncode == 0
        daemon.wait_until(lambda what=what: what in degraded(daemon), what)  # type: ignore[misc]
        told = next(line for line in degraded(daemon).splitlines() if what in line)
        assert "reload stopped: the replacement of default[0]" in told
        assert place in told
        daemon.wait_until(lambda: pids(daemon) == old, "the old workers are all there are")
        run_one(daemon, rows, number)
        assert shop.version_of(number) == 1
        assert what in degraded(daemon), "it stays until a reload succeeds"
    mend(daemon, shop, 2)
    run_one(daemon, rows, 100)
    assert shop.version_of(100) == 2
    figures(broken_versions=len(BROKEN), old_workers_that_ended=0)
    assert daemon.stop() == 0


def test_a_configuration_with_mistakes_is_told_until_a_reload_succeeds(
    daemon: Daemon, rows: Rows, shop: Shop
) -> None:
    daemon.start()
    old = pids(daemon)
    right = daemon.config.read_text()
    daemon.config.write_text(right + '\n[worker]\nstop_timeout = "soon"\nno_such_key = 1\n')
    # The verbs read that file, too, and say so at once.
    assert "no_such_key" in daemon.cli("reload").stderr
    daemon.signal(signal.SIGHUP)
    daemon.wait_until(lambda: "reload refused" in daemon.log(), "it is refused")
    daemon.config.write_text(right)
    for mistake in ("stop_timeout", "no_such_key", "the old configuration stays"):
        assert mistake in degraded(daemon)
    # A reload that is read and then fails takes the place of what was said before.
    shop.write_text("import no_such_module\n")
    assert daemon.cli("reload").returncode == 0
    daemon.wait_until(lambda: "no_such_module" in degraded(daemon), "the new trouble is told")
    assert "no_such_key" not in degraded(daemon)
    assert pids(daemon) >= old
    run_one(daemon, rows, 1)
    mend(daemon, shop, 2)


def test_an_application_that_hangs_in_its_import_stops_the_reload(
    daemon: Daemon, rows: Rows, shop: Shop, figures: Figures
) -> None:
    daemon.start()
    old = pids(daemon)
    shop.write_text(HANGS)
    began = time.monotonic()
    assert daemon.cli("reload").returncode == 0
    daemon.wait_until(
        lambda: "does its application hang" in degraded(daemon), "it is told", IN_TIME + 120
    )
    figures(told_after=time.monotonic() - began)
    daemon.wait_until(lambda: pids(daemon) == old, "what hung is gone")
    run_one(daemon, rows, 1)
    assert shop.version_of(1) == 1
    mend(daemon, shop, 2)


def test_a_second_reload_does_not_wait_for_one_that_hangs(daemon: Daemon, shop: Shop) -> None:
    daemon.start()
    old = pids(daemon)
    shop.write_text(HANGS)
    assert daemon.cli("reload").returncode == 0
    daemon.wait_until(lambda: len(pids(daemon)) == len(old) + 1, "a replacement hangs")
    (hung,) = pids(daemon) - old
    mend(daemon, shop, 2)
    daemon.wait_until(lambda: hung not in pids(daemon), "what hung is gone")


def seen_by_python(daemon: Daemon) -> str:
    """The version that an import finds that knows nothing of qsuper's ways."""
    command = [sys.executable, "-c", "import shop; print(shop.VERSION)"]
    return subprocess.run(
        command, cwd=daemon.folder, env=daemon.environ, capture_output=True, text=True, check=True
    ).stdout.strip()


def written_at(path: Path, second: float) -> None:
    os.utime(path, (second, second))


def test_two_versions_of_one_size_in_one_second_are_two(
    daemon: Daemon, rows: Rows, shop: Shop
) -> None:
    del daemon.environ["PYTHONDONTWRITEBYTECODE"]
    daemon.start()
    second = int(time.time()) - 10
    shop.write(2)
    written_at(shop.file, second + 0.1)
    assert seen_by_python(daemon) == "2"
    (compiled,) = (daemon.folder / "__pycache__").glob("shop.*.pyc")
    written_at(compiled, second + 0.2)
    shop.write(3)
    written_at(shop.file, second + 0.3)
    assert seen_by_python(daemon) == "2", "Python itself takes the old one for the new"
    before = pids(daemon)
    daemon.ask("reload")
    daemon.wait_until(
        lambda: daemon.is_ready() and not pids(daemon) & before, "every worker is replaced"
    )
    run_one(daemon, rows, 1)
    assert shop.version_of(1) == 3
