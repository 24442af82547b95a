"""What cron does with the lines of `conf/crontab.example`."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from qsuper.errors import ScoreboardError
from qsuper.scoreboard import Record, Scoreboard
from tests.acceptance.daemon import PATIENCE, TOP, Daemon
from tests.acceptance.supervised import put_qsuper_into

EXAMPLE = TOP / "conf" / "crontab.example"
EXAMPLE_FOLDER = "/srv/shop"
SLICES = 10


def lines() -> list[str]:
    """The commands that the example has cron run each minute: a pass over each slice, and the tick
    of the schedules."""
    found = []
    for line in EXAMPLE.read_text().splitlines():
        if line and not line.startswith("#"):
            *when, command = line.split(maxsplit=5)
            if when == ["*"] * 5:
                found.append(command)
    return found


class Cron:
    """Runs the example's lines in `daemon`'s folder; no daemon runs there."""

    def __init__(self, daemon: Daemon) -> None:
        self._folder = daemon.folder
        put_qsuper_into(daemon)
        path = f"{daemon.folder / '.venv' / 'bin'}:{os.environ.get('PATH', os.defpath)}"
        self._environ = {**daemon.environ, "PATH": path}
        self._started: list[subprocess.Popen[str]] = []

    def start(self, line: str) -> "subprocess.Popen[str]":
        """One line, as it stands but for the shop's folder."""
        # Quietened as cron would have it; the test wants to know what was said.
        command = line.replace(EXAMPLE_FOLDER, str(self._folder)).replace(">/dev/null", "")
        self._started.append(
            subprocess.Popen(
                command,
                shell=True,
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environ,
            )
        )
        return self._started[-1]

    def minute(self) -> list[str]:
        """Every line at once, to the end; what they have said. None fails."""
        passes = [self.start(line) for line in lines()]
        return [self.end_of(one) for one in passes]

    @staticmethod
    def end_of(one: "subprocess.Popen[str]") -> str:
        """What a pass says that goes well: an error would be mailed each minute."""
        said, errors = one.communicate(timeout=PATIENCE)
        assert (one.returncode, errors) == (0, ""), errors
        return said

    def workers(self, index: int) -> list[Record]:
        """The living worker of a slice's pass, and its predecessors that were not settled."""
        board = self._board(index)
        return [] if board is None else [one for one in board.records() if not one.ended]

    def kill(self, index: int, *, with_worker: bool) -> None:
        """SIGKILL for the pass over a slice, at once for its worker too, or not."""
        board = self._board(index)
        assert board is not None
        pids = [board.header.master_pid]
        if with_worker:
            pids += [record.pid for record in self.workers(index)]
        for pid in pids:
            # A worker may have followed its master by itself.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _board(self, index: int) -> Scoreboard | None:
        path = Path(self._folder, "var", f"work-{index}-of-{SLICES}", "scoreboard")
        try:
            return Scoreboard.open(path)
        except ScoreboardError:
            return None

    def clean_up(self) -> None:
        """End the passes that a broken run has left; their workers follow by themselves."""
        for index in range(SLICES):
            board = self._board(index)
            if board is not None and board.header.master_pid and self._any_alive():
                with suppress(ProcessLookupError):
                    os.kill(board.header.master_pid, signal.SIGKILL)
        for one in self._started:
            one.kill()
            one.wait()
            for stream in (one.stdout, one.stderr):
                if stream is not None:
                    stream.close()

    def _any_alive(self) -> bool:
        return any(one.poll() is None for one in self._started)
