"""Delivers what is in an outbox, one message after the other, until it is taken."""

import logging

from qsuper.errors import QsuperError
from qsuper.roles.alerts.destination import Destination
from qsuper.roles.alerts.errand import Errand
from qsuper.roles.alerts.message import Message
from qsuper.roles.alerts.outbox import Outbox

log = logging.getLogger("qsuper.alerts")


class Courier:
    """One destination."""

    def __init__(self, destination: Destination, outbox: Outbox) -> None:
        self.destination = destination
        self.outbox = outbox
        self._under_way: tuple[Message, Errand] | None = None
        self._retry_at = 0.0

    @property
    def idle(self) -> bool:
        return self._under_way is None

    @property
    def complaint(self) -> str:
        """What is wrong, for `status`; empty when nothing is."""
        if not self.outbox.why:
            return ""
        name, left = self.destination.name, len(self.outbox.messages)
        return f"alerts do not get through to the {name} ({left} wait): {self.outbox.why}"

    @property
    def descriptors(self) -> list[int]:
        """Readable when there is something to see to."""
        return [] if self._under_way is None else self._under_way[1].descriptors

    def turn(self, now: float, *, begin: bool) -> bool:
        """See to what is under way, and with `begin` start the next one that is due; whether the
        outbox has changed."""
        changed = self._under_way is not None and self._see_to(*self._under_way, now)
        if begin and self.idle and self.outbox.messages and now >= self._retry_at:
            changed |= self._start(self.outbox.messages[0], now)
        return changed

    def until_due(self, now: float) -> float | None:
        """Seconds until there is something to do; None when nothing is foreseen."""
        if self._under_way is not None:
            return max(0.0, self._under_way[1].ends_at - now)
        return max(0.0, self._retry_at - now) if self.outbox.messages else None

    def stop(self) -> None:
        """End what is under way; it stays in the outbox."""
        if self._under_way is not None:
            self._under_way[1].kill()
            self._under_way = None

    def _start(self, message: Message, now: float) -> bool:
        try:
            self._under_way = message, self.destination.send(message, now)
        except QsuperError as error:
            self._failed(message, str(error), now)
            return True
        return False

    def _see_to(self, message: Message, errand: Errand, now: float) -> bool:
        why = errand.over(now)
        if why is None:
            return False
        self._under_way = None
        if why:
            self._failed(message, why, now)
        else:
            log.info("told the %s: %s %s", self.destination.name, message.kind, message.state)
            self.outbox.delivered(message)
            self._retry_at = now
        return True

    def _failed(self, message: Message, why: str, now: float) -> None:
        if self.outbox.why != why:
            log.warning("the %s of [alerts]: %s", self.destination.name, why)
        self.outbox.failed(message, why)
        self._retry_at = now + self.outbox.rest
