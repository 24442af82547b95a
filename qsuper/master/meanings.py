"""What each signal asks of the master."""

import faulthandler
import logging
import signal

from qsuper.errors import QsuperError
from qsuper.master.fork import stacks_file
from qsuper.master.orders import BY_SIGNAL, Orders

log = logging.getLogger("qsuper.master")


def obey(orders: Orders, number: signal.Signals) -> None:
    """Do what a signal stands for; what cannot be done is logged."""
    try:
        match number:
            case signal.SIGTERM:
                orders.stop(at_once=False)
            case signal.SIGINT:
                orders.stop(at_once=orders.ending is not None)
            case signal.SIGQUIT:
                orders.stop(at_once=True)
            case signal.SIGHUP:
                orders.reload()
            case signal.SIGTTIN:
                orders.scale_by(1)
            case signal.SIGTTOU:
                orders.scale_by(-1)
            case signal.SIGTSTP:
                orders.pause(by=BY_SIGNAL)
            case signal.SIGCONT:
                # A shell sends it to whatever it continues: a pause by order stays.
                orders.resume(by=BY_SIGNAL)
            case signal.SIGUSR1:
                orders.reopen()
            case signal.SIGUSR2:
                _dump_stacks(orders)
    except QsuperError as error:
        log.error("%s: %s", number.name, error)


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
