"""What a verb costs to start, against a bare interpreter; and that `status` needs no database."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.daemon import Daemon
from tests.acceptance.figures import Figures
from tests.acceptance.rows import Rows
from tests.servers import MariaDB

ROWS = 1_000_000
TURNS = 9
ATTEMPTS = 3
"""A machine that does something else for a moment has not shown anything yet."""


def test_help_and_status_start_quickly_and_status_answers_without_the_database(
    own_mariadb: Callable[..., MariaDB], folder: Path, figures: Figures
) -> None:
    server = own_mariadb(innodb_buffer_pool_size="512M")
    rows = Rows(server.create_database())
    rows.run(
        "INSERT INTO queue (queue, task, status)"
        f" SELECT IF(seq % 2, 'default', 'later'), 'work', IF(seq % 2, 1, 0) FROM seq_1_to_{ROWS}"
    )
    daemon = Daemon(folder, rows.url)
    try:
        daemon.start()
        daemon.wait_until(lambda: done_rows(daemon) > 10_000, "the queues are counted")
        for _ in range(ATTEMPTS):
            bare, help_, status = medians(daemon)
            figures(bare_ms=bare, help_ms=help_, status_ms=status)
            figures(help_ratio=help_ / bare, status_ratio=status / bare)
            if help_ <= 10 * bare and status <= 20 * bare:
                break
        assert help_ <= 10 * bare
        assert status <= 20 * bare

        server.stop()
        daemon.wait_until(
            lambda: "Can't connect" in daemon.cli("status").stdout, "status says what is wrong"
        )
        shown = daemon.cli("status")
    finally:
        daemon.clean_up()
    assert shown.returncode == 0, shown.stderr
    first = shown.stdout.splitlines()[0]
    print(first)
    assert first.startswith("! ")
    assert "(since " in first, "it does not say since when"


def done_rows(daemon: Daemon) -> int:
    """Rows counted in the state done, as `status` tells."""
    queues = daemon.status().get("queues", [])
    return max((queue["states"].get("done", 0) for queue in queues), default=0)


def medians(daemon: Daemon) -> tuple[float, float, float]:
    """Milliseconds of a bare interpreter, `--help` and `status`, taken in turns."""
    commands = (
        [sys.executable, "-c", "pass"],
        daemon.command("--help"),
        daemon.command("status"),
    )
    took: list[list[float]] = [[], [], []]
    for _ in range(TURNS):
        for seconds, command in zip(took, commands, strict=True):
            seconds.append(run(daemon, command))
    bare, help_, status = (statistics.median(seconds) * 1e3 for seconds in took)
    return bare, help_, status


def run(daemon: Daemon, command: list[str]) -> float:
    # As installed: with its bytecode at hand.
    environ = {**daemon.environ}
    environ.pop("PYTHONDONTWRITEBYTECODE")
    began = time.perf_counter()
    subprocess.run(command, env=environ, cwd=daemon.folder, capture_output=True, check=True)
    return time.perf_counter() - began
