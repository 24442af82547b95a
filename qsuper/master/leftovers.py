"""What a dead predecessor has left running, and its end.

Its children are on the scoreboard and hold `run.lock`. Their programs do neither, but carry the
run's nonce in their environment, daemons included.
"""

import logging
import signal
from collections.abc import Callable, Iterator

from qsuper import processes
from qsuper.master.fork import RUN_TAG
from qsuper.master.locks import SharedLock
from qsuper.processes import Process
from qsuper.scoreboard import Scoreboard, clock

GRACE = 0.3
"""Seconds in which children may leave by themselves, giving back what they hold."""
PATIENCE = 10.0
"""Seconds after which the wait is worth a word."""
LOOK_EVERY = 0.05

log = logging.getLogger("qsuper.master")


class Leftovers:
    """The processes of the runs before this one."""

    def __init__(self, run_lock: SharedLock, board: Scoreboard | None) -> None:
        """`board`: the predecessor's, when it is of this boot and can be read."""
        self._lock = run_lock
        self._board = board
        nonces = {run_lock.read(), board.header.nonce if board else ""} - {""}
        self._tags = [f"{RUN_TAG}={nonce}".encode() for nonce in nonces]
        # A job may have started us: whoever we descend from stays.
        self._spared = frozenset(processes.ancestors())

    def end(self, pause: Callable[[float], bool]) -> bool:
        """Take `run.lock`, and leave none of them alive.

        `pause` waits for so many seconds and says whether to give up; whether it never did is
        the answer.
        """
        began = clock()
        said = False
        while True:
            locked = self._lock.take()
            found = list(self._find(holders=not locked))
            if locked and not found:
                return True
            waited = clock() - began
            if locked or waited >= GRACE:
                for process in found:
                    log.warning("killing pid %d, left by a master that died", process.pid)
                    for member in (process, *processes.descendants(process.pid)):
                        processes.send(member, signal.SIGKILL)
            if waited > PATIENCE and not said:
                said = True
                held = ", ".join(str(process.pid) for process in found) or "an unknown process"
                log.error("waiting for what a master that died has left: pid %s", held)
            if pause(LOOK_EVERY):
                return False

    def _find(self, *, holders: bool) -> Iterator[Process]:
        on_board = {} if self._board is None else self._by_pid(self._board)
        for pid, process in processes.everyone().items():
            if pid in self._spared or process.zombie:
                continue
            if (
                on_board.get(pid) == process.ticks
                or any(processes.has_tag(pid, tag) for tag in self._tags)
                or (holders and processes.locks_file(pid, self._lock.path))
            ):
                yield process

    @staticmethod
    def _by_pid(board: Scoreboard) -> dict[int, int]:
        return {record.pid: record.ticks for record in board.records() if not record.ended}
