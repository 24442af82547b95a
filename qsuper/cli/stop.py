"""`qsuper stop`."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import click

from qsuper import wire
from qsuper.cli.parameters import seconds
from qsuper.cli.settings import Settings, pass_settings
from qsuper.errors import NotRunning, QsuperError, WireError
from qsuper.master.locks import OwnLock
from qsuper.picture import span

LOOK_EVERY = 0.05
PATIENCE = 30.0
"""Seconds beyond `worker.stop_timeout` that a stop may take."""


@click.command()
@click.option("--now", is_flag=True, help="Cut the jobs under way short; they run again later.")
@click.option(
    "--timeout",
    type=seconds,
    metavar="TIME",
    help="Wait so long; without it worker.stop_timeout and 30 seconds.",
)
@pass_settings
def stop(settings: Settings, now: bool, timeout: float | None) -> None:
    """Finish the jobs under way, stop, and return when all is over.

    A master that stands by is stopped first, so that it does not take over.
    """
    config = settings.config()
    masters = Masters(Path(config.state_dir))
    if timeout is None:
        timeout = config.worker.stop_timeout + PATIENCE
    started = time.monotonic()
    masters.tell(now=now)
    while left := masters.end():
        if time.monotonic() - started > timeout:
            raise QsuperError(
                f"pid {left} is still stopping after {span(timeout)};"
                " `qsuper stop --now` cuts its jobs short"
            )
        time.sleep(LOOK_EVERY)
    click.echo(f"stopped after {span(time.monotonic() - started)}")


class Masters:
    """The masters of a state directory: the one that works, and those that stand by."""

    def __init__(self, state_dir: Path) -> None:
        self._socket = state_dir / "control.sock"
        paths = [state_dir / "standby.lock", state_dir / "master.lock"]
        if not all(path.exists() for path in paths):
            raise NotRunning(f"not running in {state_dir}")
        self._standby, self._master = (OwnLock(path) for path in paths)
        if not self._holders():
            raise NotRunning(f"not running in {state_dir}")
        self._signal = signal.SIGTERM
        self._told: set[int] = set()

    def tell(self, *, now: bool) -> None:
        """Tell the one that works, if it listens; else signals have to do."""
        if now:
            self._signal = signal.SIGQUIT
        self.end_waiting()
        with suppress(NotRunning, WireError):
            wire.call(self._socket, "stop", {"now": now})
            self._told.update(self._holders())

    def end(self) -> int | None:
        """Tell those that were not told yet; the pid of one that is still there."""
        self.end_waiting()
        if master := self._master.holder():
            self._send(master)
        return next(iter(self._holders()), None)

    def end_waiting(self) -> None:
        """Tell the one that stands by: what is not there cannot take over."""
        if waiting := self._standby.holder():
            self._send(waiting)

    def _holders(self) -> list[int]:
        return [pid for lock in (self._standby, self._master) if (pid := lock.holder())]

    def _send(self, pid: int) -> None:
        if pid in self._told:
            return
        self._told.add(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, self._signal)
