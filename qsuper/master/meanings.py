"""What each signal asks of the master."""

import faulthandler
import logging
import signal
from collections.abc import Callable

from qsuper.errors import QsuperError
from qsuper.master.fork import stacks_file
from qsuper.master.orders import BY_SIGNAL, Orders

log = logging.getLogger("qsuper.master")


def _dump_stacks(orders: Orders) -> None:
    path = stacks_file(orders.state_dir, "master")
    orders.pass_on(signal.SIGUSR2)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with path.open("a") as file:
            faulthandler.dump_traceback(file, all_threads=False)
    except OSError as error:
        log.error("the master's own stack cannot be written: %s", error)
    log.info("stacks of every process are written to %s", path.parent)


MEANINGS: dict[signal.Signals, Callable[[Orders], None]] = {
    signal.SIGTERM: lambda orders: orders.stop(at_once=False),
    signal.SIGINT: lambda orders: orders.stop(at_once=orders.ending is not None),
    signal.SIGQUIT: lambda orders: orders.stop(at_once=True),
    signal.SIGHUP: Orders.reload,
    signal.SIGTTIN: lambda orders: orders.scale_by(1),
    signal.SIGTTOU: lambda orders: orders.scale_by(-1),
    signal.SIGTSTP: lambda orders: orders.pause(by=BY_SIGNAL),
    # A shell sends it to whatever it continues: a pause by the verb stays.
    signal.SIGCONT: lambda orders: orders.resume(by=BY_SIGNAL),
    signal.SIGUSR1: Orders.reopen,
    signal.SIGUSR2: _dump_stacks,
    signal.SIGCHLD: lambda _orders: None,
}
"""The loop looks for children that have ended in every turn: SIGCHLD only wakes it."""


def obey(orders: Orders, number: signal.Signals) -> None:
    """Do what a signal stands for; what cannot be done is logged."""
    try:
        MEANINGS[number](orders)
    except QsuperError as error:
        log.error("%s: %s", number.name, error)
    except Exception:  # supervision must not end because an order met a bug
        log.exception("%s met an error that nobody expected", number.name)
