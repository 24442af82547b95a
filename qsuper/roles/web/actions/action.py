"""One thing that can be done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qsuper.errors import QsuperError
from qsuper.roles.web.fields import BadField, Fields
from qsuper.roles.web.site import Site


class Unconfirmed(QsuperError):
    """So much is done only when somebody has said yes to it."""


@dataclass(frozen=True, slots=True)
class Done:
    """What an action has come to."""

    text: str
    """A sentence for people."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """The same for programs."""


@dataclass(frozen=True, slots=True)
class Action:
    """A form's target and a JSON endpoint of one name."""

    name: str
    verb: str
    """What does the same on the command line."""
    takes: tuple[str, ...]
    work: Callable[[Site, Fields], Done]

    def do(self, site: Site, given: Mapping[str, Any]) -> Done:
        """Do it, in a thread; raises `QsuperError` when it cannot be done."""
        if strange := sorted(set(given) - set(self.takes)):
            takes = ", ".join(self.takes) or "nothing"
            raise BadField(f"{self.name} knows no {strange[0][:40]!r}; it takes {takes}")
        try:
            return self.work(site, Fields(given))
        finally:
            site.look_again()
