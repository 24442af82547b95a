"""What one destination has yet to be told."""

from msgspec import Struct

from qsuper.roles.alerts.message import Message

MESSAGES_MOST = 100
"""Older ones are given up."""
REST_LEAST, REST_MOST = 1.0, 60.0
"""Seconds between two tries: doubled with each that failed."""


class Outbox(Struct):
    """In order. Of one episode only the newest state is told."""

    messages: tuple[Message, ...] = ()
    failures: int = 0
    """In a row."""
    why: str = ""
    """What became of the last try; empty when it went well."""

    def put(self, message: Message) -> int:
        """Add one in place of what was still to be told of the same episode; how many were given
        up."""
        others = [one for one in self.messages if one.episode != message.episode]
        kept = [*others, message][-MESSAGES_MOST:]
        self.messages = tuple(kept)
        return len(others) + 1 - len(kept)

    def delivered(self, message: Message) -> None:
        self.messages = tuple(one for one in self.messages if one != message)
        self.failures, self.why = 0, ""

    def failed(self, message: Message, why: str) -> None:
        """It goes behind the others: it may be the only one that is refused."""
        self.failures, self.why = self.failures + 1, why
        if message in self.messages:
            others = tuple(one for one in self.messages if one != message)
            self.messages = (*others, message)

    @property
    def rest(self) -> float:
        """Seconds to wait before the next try."""
        if not self.failures:
            return 0.0
        return min(REST_MOST, REST_LEAST * 2.0 ** min(self.failures - 1, 16))
