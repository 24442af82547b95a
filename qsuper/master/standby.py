"""Which of several masters works: the first runs, one may stand by, the rest are refused."""

import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from qsuper import processes
from qsuper.errors import AlreadyRunning
from qsuper.master.locks import OwnLock

LOOK_EVERY = 0.1

log = logging.getLogger("qsuper.master")


class Standby:
    """`master.lock`, and `standby.lock` for the one that waits for it."""

    def __init__(self, state_dir: Path, *, wait: bool) -> None:
        """`wait`: stand by while another one runs, and make room for one that does."""
        self._folder = state_dir
        self._master = OwnLock(state_dir / "master.lock")
        self._standby = OwnLock(state_dir / "standby.lock")
        self._wait = wait
        self._parent = os.getppid()

    def take(self, pause: Callable[[float], bool], say: Callable[[str], None]) -> bool:
        """Become the master; False when asked to stop before. Raises `AlreadyRunning`.

        `pause` waits for so many seconds and says whether to give up; `say` is told once that and
        why this one waits.
        """
        if self._master.take():
            return True
        if not self._wait:
            raise AlreadyRunning(self._who_runs())
        why = f"standing by: {self._who_runs()}"
        log.info("%s", why)
        say(why)
        while not self._standby.take():
            if pause(LOOK_EVERY):
                return False
        while not self._master.take():
            if pause(LOOK_EVERY):
                return False
        self._standby.release()
        return True

    def _who_runs(self) -> str:
        pid = self._master.holder()
        process = processes.look(pid) if pid else None
        if process is None:
            return f"another master runs in {self._folder}"
        age = _words(processes.age(process))
        return f"a master runs in {self._folder} already: pid {process.pid}, for {age}"

    def should_hand_over(self) -> bool:
        """Whether the parent that started this master is gone, and another master stands by."""
        orphaned = os.getppid() != self._parent
        return self._wait and orphaned and self._standby.holder() is not None

    def end_waiting(self) -> None:
        """Tell the master that stands by, if there is one, to stop."""
        if pid := self._standby.holder():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)

    def close(self) -> None:
        """Give both locks up; in a forked child this changes nothing for the master."""
        self._master.close()
        self._standby.close()


def _words(seconds: float) -> str:
    """`42 s`, `17 min`, `3 h`, `12 days`."""
    for length, unit in ((2 * 86400, "days"), (2 * 3600, "h"), (120, "min")):
        if seconds >= length:
            return f"{seconds // {'days': 86400, 'h': 3600, 'min': 60}[unit]:.0f} {unit}"
    return f"{seconds:.0f} s"
