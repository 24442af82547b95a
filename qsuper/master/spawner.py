"""Gives a child its record on the scoreboard and its process."""

import gc
import logging
from collections.abc import Callable

from qsuper import processes
from qsuper.config import Config
from qsuper.errors import ScoreboardError
from qsuper.master.child import Child
from qsuper.master.fork import fork
from qsuper.master.messages import Messages
from qsuper.master.queues import Queues
from qsuper.place import Place
from qsuper.scoreboard import Scoreboard

log = logging.getLogger("qsuper.master")


class Spawner:
    """Forks for one run of the master."""

    def __init__(
        self,
        config: Config,
        board: Scoreboard,
        queues: Queues,
        nonce: str,
        messages: Messages,
        forget: Callable[[], None],
    ) -> None:
        """`forget` closes in a child what is the master's alone."""
        self.config = config
        """What the next child is given; a reload puts another in its place."""
        self._board = board
        self._queues = queues
        self._nonce = nonce
        self._messages = messages
        self._forget = forget
        self._incarnations = 0

    def spawn(self, child: Child, ordinal: int, now: float) -> None:
        """Fork for a place; when that fails the place backs off."""
        if self._incarnations == 0:
            # What is loaded by now is shared with every child, as long as nobody writes to it:
            # the collector would, into every object's header.
            gc.collect()
            gc.freeze()
        try:
            record = self._board.take()
        except ScoreboardError as error:
            self._messages.say("scoreboard", f"{child.name} cannot start: {error}")
            child.failed_to_fork(str(error), now)
            log.error("%s cannot start: %s", child.name, error)
            return
        self._messages.say("scoreboard", "")
        self._incarnations += 1
        queue = None if child.queue is None else self._queues.find(child.queue)
        record.role = child.kind.name
        record.queue = -1 if child.queue is None else self._queues.index(child.queue)
        record.number, record.ordinal, record.spawned = child.number, ordinal, now
        record.worker = f"{self._nonce}-{self._incarnations}"
        place = Place(self.config, self._board, record, queue, child.name)
        try:
            pid = fork(child.kind, place, self._nonce, self._forget)
        except OSError as error:
            record.used = 0
            child.failed_to_fork(f"cannot fork: {error.strerror}", now)
            log.error("%s cannot start: cannot fork: %s", child.name, error.strerror)
            return
        process = processes.look(pid)
        record.ticks = process.ticks if process else 0
        record.pid = pid
        child.forked(pid, record, now)
        log.info("%s started: pid %d, %s", child.name, pid, record.worker)
