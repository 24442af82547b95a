"""The fork, and what a child does before it is what it is for."""

import faulthandler
import logging
import os
import random
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from qsuper import kinship, logs, processes
from qsuper.exits import Exit
from qsuper.place import Kind, Place

RUN_TAG = "QSUPER_RUN"
"""The environment variable by which a run's programs are found; its value is the run's nonce."""

log = logging.getLogger("qsuper.master")


def stacks_file(state_dir: Path, name: str) -> Path:
    """Where a child writes its stacks on SIGUSR2."""
    return state_dir / "stacks" / f"{name}.txt"


def fork(kind: Kind, place: Place, nonce: str, forget: Callable[[], None]) -> int:
    """Fork a child that runs `kind.main(place)` and ends with what it returns; gives its pid.

    `forget` closes, in the child, what is the master's alone. Raises OSError when the host has
    no room for another process.
    """
    master = os.getpid()
    # Blocked around the fork: the master's handlers must never run in a child.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _live(kind, place, nonce, forget, master)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _live(kind: Kind, place: Place, nonce: str, forget: Callable[[], None], master: int) -> None:
    """The whole life of a child; never returns."""
    code: int = Exit.BUG
    try:
        os.setpgid(0, 0)
        kinship.die_with_parent(signal.SIGQUIT)
        if os.getppid() != master:
            os._exit(Exit.MASTER_DIED)
        kinship.become_subreaper()
        forget()
        _introduce(place)
        queue = place.queue
        logs.setup(place.config.log, f"{kind.name} {place.name}" if queue else place.name)
        os.environ[RUN_TAG] = nonce
        random.seed()
        signal.signal(signal.SIGUSR1, _ignore)
        with suppress(OSError):  # a full disk: the child can do without
            _write_stacks_on_demand(place)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        code = int(kind.main(place))
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else Exit.BUG
    except BaseException:
        log.critical("%s ended by an error that nobody expected", place.name, exc_info=True)
    finally:
        try:
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code & 0xFF)


def _introduce(place: Place) -> None:
    """Say who fills the record: the master may die before it has come to that."""
    own = processes.look(os.getpid())
    place.record.ticks = own.ticks if own else 0
    place.record.pid = os.getpid()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """A child that boots has no logs to reopen yet; SIG_IGN would be passed on to its programs."""


def _write_stacks_on_demand(place: Place) -> None:
    path = stacks_file(Path(place.config.state_dir), place.name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    # Kept open for as long as the process lives: a handler cannot open it.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    faulthandler.register(signal.SIGUSR2, file=descriptor, all_threads=True, chain=False)
