"""Waiting that can be interrupted, and nothing else: no cleaning up is ever cut in half."""

import signal
import time
from types import FrameType

import click

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Patience:
    """Notes the first signal for the next `rest` to end at; a second one ends it anywhere."""

    def __init__(self) -> None:
        self._noted = False
        for number in SIGNALS:
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._noted = True
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler)

    def rest(self, seconds: float) -> None:
        """Wait; raises `click.Abort` once somebody wants the demo to end."""
        time.sleep(seconds)
        if self._noted:
            raise click.Abort
