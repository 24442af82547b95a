"""What outlives the child that tells: `alerts.json` in state_dir."""

import logging
import os
from pathlib import Path

import msgspec

from qsuper.errors import QsuperError
from qsuper.roles.alerts.episodes import Episodes
from qsuper.roles.alerts.growth import Growth
from qsuper.roles.alerts.outbox import Outbox

log = logging.getLogger("qsuper.alerts")


class Notes(msgspec.Struct):
    """All that is known."""

    episodes: Episodes = Episodes()
    dead: Growth = Growth()
    missed: Growth = Growth()
    outboxes: dict[str, Outbox] = {}
    """By the name of the destination."""


class Notebook:
    """The file; whole or not there, whenever the power goes."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / "alerts.json"
        self._noted = b""

    def read(self) -> Notes:
        """What was written last; nothing is known when there is no such file, or junk in it."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Notes)
        except FileNotFoundError:
            return Notes()
        except (OSError, msgspec.DecodeError) as error:
            log.warning("%s is begun anew: %s", self.path, error)
            return Notes()

    def write(self, notes: Notes) -> None:
        """Replace it, unless nothing but time has passed; raises `QsuperError` where that cannot
        be."""
        noted = msgspec.json.encode([notes.episodes.open, notes.dead, notes.missed, notes.outboxes])
        if noted == self._noted:
            return
        draft = self.path.with_suffix(".new")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(notes))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
            self._noted = noted
        except OSError as error:
            raise QsuperError(f"{self.path} cannot be written: {error.strerror}") from error
