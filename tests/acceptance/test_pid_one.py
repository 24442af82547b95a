"""The first process of a container: no signal is lost, no zombie stays, the exit code is right.

A pid namespace is all of a container that matters here.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.daemon import PATIENCE, Daemon
from tests.acceptance.process_table import family, is_zombie
from tests.acceptance.rows import Rows
from tests.servers.program import find_program

APP = """
import os
import subprocess
import time
from pathlib import Path
from tests.acceptance.app import queue

while Path("hold").exists():
    time.sleep(0.01)


@queue.task
def leave_orphans(count: int) -> None:
    for _ in range(count):
        subprocess.run(["sh", "-c", "(sleep 0.1 &) ; exit 0"], check=True)
"""


class Container(Daemon):
    """A daemon that is pid 1 of a namespace of its own."""

    def command(self, *words: str) -> list[str]:
        command = super().command(*words)
        if words[0] != "run":
            return command
        # Who is not root needs a user namespace around it.
        rights = [] if os.geteuid() == 0 else ["--map-root-user"]
        unshare = [find_program("unshare"), *rights, "--pid", "--fork", "--kill-child"]
        return [*unshare, "--mount-proc", "--", *command]

    def is_ready(self) -> bool:
        """As seen from inside, where the master is pid 1."""
        board = self.board()
        if board is None or board.header.master_pid != 1:
            return False
        return all(record.phase for record in self.workers()) and len(self.workers()) == 4

    @property
    def first(self) -> psutil.Process:
        """The first process of the namespace, as seen from outside."""
        (first,) = psutil.Process(self.pid).children()
        return first

    def tell_first(self, number: int) -> None:
        os.kill(self.first.pid, number)

    def code(self) -> int:
        """The exit code of pid 1, which unshare passes on."""
        assert self.master is not None
        return self.master.wait(PATIENCE)


@pytest.fixture
def container(rows: Rows, folder: Path) -> Iterator[Container]:
    container = Container(folder, rows.url)
    (folder / "app.py").write_text(APP)
    container.write_config(app="app:queue")
    yield container
    if container.master is not None and container.master.poll() is None:
        # With unshare the kernel ends pid 1, and with that all others of the namespace.
        container.master.kill()
        container.master.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_it_and_the_exit_code_is_zero(
    container: Container, rows: Rows, number: int
) -> None:
    container.start()
    assert (container.state / "scoreboard").exists()
    rows.add([(1, "hold_until_told", {"n": 1})])
    container.wait_until(lambda: len(container.runs(1)) == 1, "a job is under way")
    container.tell_first(number)
    container.wait_until(lambda: "draining" in container.log(), "it drains")
    container.tell(1)
    assert container.code() == 0
    (run,) = container.runs(1)
    assert run.succeeded


def test_a_second_int_stops_at_once(container: Container, rows: Rows) -> None:
    container.start()
    rows.add([(1, "hold_until_told", {"n": 1})])
    container.wait_until(lambda: len(container.runs(1)) == 1, "a job is under way")
    container.tell_first(signal.SIGINT)
    container.wait_until(lambda: "draining" in container.log(), "it drains")
    container.tell_first(signal.SIGINT)
    assert container.code() == 0
    assert rows.job(1)["status"] == 0, "the job is back"


def test_hup_replaces_the_workers(container: Container) -> None:
    container.start()
    before = {record.pid for record in container.workers()}
    container.tell_first(signal.SIGHUP)
    container.wait_until(lambda: "every child has been replaced" in container.log(), "it has")
    container.wait_until(
        lambda: container.is_ready() and not before & {one.pid for one in container.workers()},
        "the old ones have left",
    )
    container.tell_first(signal.SIGTERM)
    assert container.code() == 0


def test_orphans_leave_no_zombies(container: Container, rows: Rows) -> None:
    container.start()
    own = len(container.first.children())

    def zombies() -> list[psutil.Process]:
        return [one for one in family(container.first.pid) if is_zombie(one)]

    # What others leave in a container becomes a child of its first process.
    for _ in range(10):
        subprocess.run(
            [*inside(container), "sh", "-c", "sleep 0.1 & sleep 600 & exit 0"], check=True
        )
    container.wait_until(lambda: len(container.first.children()) == own, "its own are left")
    # So does what a worker has adopted, when that is killed.
    rows.add([(1, "leave_orphans", {"count": 20})])
    container.wait_until(lambda: rows.count(1) == 1, "it has run")
    (worker,) = (one for one in container.first.children() if family(one.pid))
    worker.kill()
    container.wait_until(lambda: not zombies(), "none is left")
    container.wait_until(container.is_ready, "another worker has taken the place")


def inside(container: Container) -> list[str]:
    """Before a command that is to run in the container, as `docker exec` does."""
    enter = [find_program("nsenter"), f"--target={container.first.pid}", "--pid", "--mount"]
    return [*enter, *([] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]), "--"]


def handles(container: Container, number: int) -> bool:
    """Whether the kernel has something to deliver the signal to."""
    status = Path(f"/proc/{container.first.pid}/status").read_text()
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    return bool(int(caught, 16) & 1 << number - 1)


def test_a_term_while_it_starts_is_not_lost(container: Container) -> None:
    (container.folder / "hold").touch()
    container.start(ready=False)
    container.wait_until(lambda: psutil.Process(container.pid).children(), "it exists")
    container.wait_until(lambda: handles(container, signal.SIGTERM), "it handles the signal")
    container.tell_first(signal.SIGTERM)
    (container.folder / "hold").unlink()
    assert container.code() in (0, 128 + signal.SIGTERM)


def test_a_master_that_is_killed_takes_all_with_it(container: Container) -> None:
    container.start()
    whole = container.first.children(recursive=True)
    container.tell_first(signal.SIGKILL)
    assert container.code() != 0
    _, living = psutil.wait_procs(whole, timeout=PATIENCE)
    assert not living


def test_a_configuration_with_mistakes_ends_it_with_code_one(container: Container) -> None:
    container.config.write_text("no_such_key = 1\n")
    container.start(ready=False)
    assert container.code() == 1
    assert "no_such_key" in container.words()
