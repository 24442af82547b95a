"""The master: from its locks to its exit code."""

import logging
import os
import secrets
import selectors
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from qsuper import kinship, processes
from qsuper.config import Config
from qsuper.errors import QsuperError
from qsuper.master import bytecode, inheritance, verbs
from qsuper.master.control import Control
from qsuper.master.crew import Crew
from qsuper.master.graves import Graves
from qsuper.master.leftovers import Leftovers
from qsuper.master.locks import SharedLock
from qsuper.master.loop import Loop
from qsuper.master.messages import Messages
from qsuper.master.notices import Notices
from qsuper.master.notify import Notifier
from qsuper.master.orders import Orders
from qsuper.master.queues import Queues
from qsuper.master.signals import Signals
from qsuper.master.spawner import Spawner
from qsuper.master.standby import Standby
from qsuper.place import Kind
from qsuper.scoreboard import Record, Scoreboard, clock
from qsuper.version import VERSION

log = logging.getLogger("qsuper.master")


class Master:
    """One node: forks what the configuration wants and keeps it going."""

    def __init__(
        self,
        config: Config,
        kinds: Sequence[Kind],
        *,
        reload_config: Callable[[], Config],
        once: bool = False,
        wait: bool = False,
    ) -> None:
        """`once`: end when every worker has drained; `wait`: stand by while another one runs."""
        self._config = config
        self._kinds = kinds
        self._reload_config = reload_config
        self._once = once
        self._wait = wait
        self._state_dir = Path(config.state_dir)

    def run(self) -> int:
        """Work until asked to stop; the exit code.

        Raises `AlreadyRunning` when another master works in the state directory, and
        `QsuperError` when that cannot be used.
        """
        self._make_state_dir()
        bytecode.distrust()
        notices = Notices(Notifier(os.environ))
        signals = Signals()
        standby = Standby(self._state_dir, wait=self._wait)
        run_lock = SharedLock(self._state_dir / "run.lock")

        def pause(seconds: float) -> bool:
            notices.alive(clock())
            return signals.pause(seconds)

        try:
            if not standby.take(pause, notices.stand_by):
                return 0
            kinship.become_subreaper()
            board = inheritance.open_board(self._board_path)
            if not Leftovers(run_lock, _of_this_boot(board)).end(pause):
                return 0
            return self._work(board, signals, standby, run_lock, notices)
        finally:
            run_lock.close()
            standby.close()
            signals.restore()

    @property
    def _board_path(self) -> Path:
        return self._state_dir / "scoreboard"

    def _make_state_dir(self) -> None:
        try:
            self._state_dir.mkdir(parents=True, exist_ok=True)
            self._state_dir.chmod(0o700)
        except OSError as error:
            raise QsuperError(
                f"cannot use {self._state_dir}: {error.strerror}; name another state_dir"
            ) from error

    def _work(
        self,
        inherited: Scoreboard | None,
        signals: Signals,
        standby: Standby,
        run_lock: SharedLock,
        notices: Notices,
    ) -> int:
        """Everything between the locks and the exit code."""
        nonce = secrets.token_hex(6)
        run_lock.write(nonce)
        board, queues, kept = self._prepare_board(inherited, nonce)
        selector = selectors.DefaultSelector()

        def forget() -> None:
            control.forget()
            selector.close()
            standby.close()
            signals.forget()

        messages = Messages()
        spawner = Spawner(self._config, board, queues, nonce, messages, forget)
        graves = Graves(kept)
        crew = Crew(spawner, graves, once=self._once)
        orders = Orders(
            self._kinds,
            crew,
            spawner,
            queues,
            board.header,
            standby,
            messages,
            self._reload_config,
        )
        control = Control(self._state_dir / "control.sock", selector, verbs.table(orders))
        selector.register(signals, selectors.EVENT_READ, lambda: None)
        log.info(
            "qsuper %s started: pid %d, %s, wanted: %s",
            VERSION,
            os.getpid(),
            nonce,
            ", ".join(f"{name}={count}" for name, count in orders.workers().items()),
        )
        try:
            code = Loop(board, crew, graves, orders, standby, notices, once=self._once).run(
                selector, signals, control
            )
        finally:
            control.close()
            selector.close()
            queues.close()
        board.header.master_pid = 0
        log.info("stopped, exit code %d", code)
        return code

    def _prepare_board(
        self, inherited: Scoreboard | None, nonce: str
    ) -> tuple[Scoreboard, Queues, list[Record]]:
        """The scoreboard with this run's header; what the last run left unsettled stays on it."""
        board = inherited or Scoreboard.create(self._board_path)
        kept = inheritance.keep_unsettled(board) if inherited else {}
        board.forget_counts()
        header = board.header
        own = processes.look(os.getpid())
        header.master_pid = os.getpid()
        header.master_ticks = own.ticks if own else 0
        header.started = time.time()
        header.nonce = nonce
        header.node = self._node()
        header.boot_id = processes.boot_id()
        header.renewed = 0.0
        header.alone = header.paused = header.stopping = 0
        queues = Queues(board)
        queues.add([*self._config.queues, *kept.values()])
        return board, queues, inheritance.reassign(board, kept, queues.names)

    def _node(self) -> str:
        """The node's id, made at its first start."""
        path = self._state_dir / "node"
        if not path.exists():
            path.write_text(secrets.token_hex(6) + "\n")
        return path.read_text().strip()


def _of_this_boot(board: Scoreboard | None) -> Scoreboard | None:
    """The board, unless it is of an earlier boot: its pids are others' now."""
    if board is None or board.header.boot_id != processes.boot_id():
        return None
    return board
