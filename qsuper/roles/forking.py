"""What a job forks is no child of the master's: signals mean to it what they mean to all."""

import os
import signal
import threading

HANDLED = (
    signal.SIGTERM,
    signal.SIGQUIT,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
)
"""Signals that a role handles in its own way."""

_before = threading.local()


def keep_handlers_here() -> None:
    """From now on a forked copy of this process begins with the default actions."""
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_forget_handlers)


def _hold() -> None:
    """A signal that reaches the copy before it has forgotten our handlers would be lost on it."""
    # Read first: what a handler raises in the call that blocks would take the answer along.
    _before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)


def _let_go() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _before.mask)


def _forget_handlers() -> None:
    signal.set_wakeup_fd(-1)
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL)
    _let_go()
