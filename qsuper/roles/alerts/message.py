"""What the command and the webhook get."""

from typing import Literal

import msgspec

from qsuper.roles.alerts.episodes import Key, Told
from qsuper.version import VERSION


class Message(msgspec.Struct, frozen=True):
    """One alert, or its end."""

    qsuper: str
    """The version."""
    node: str
    """Name of the node that tells it."""
    kind: str
    about: str
    """The queue or the child it is about; empty for the node itself."""
    state: Literal["begun", "over"]
    text: str
    """One sentence for people."""
    since: float
    """Unix time at which it began: with node, kind and about it names the episode."""
    at: float
    """Unix time of the telling."""

    @property
    def episode(self) -> tuple[Key, float]:
        return (self.kind, self.about), self.since

    @classmethod
    def of(cls, told: Told, node: str) -> "Message":
        return cls(qsuper=VERSION, node=node, **msgspec.structs.asdict(told))

    def encoded(self) -> bytes:
        """As JSON, on one line with its end."""
        return msgspec.json.encode(self) + b"\n"
