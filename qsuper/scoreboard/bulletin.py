"""A text that one process posts and others read."""

import time
from typing import Any

import msgspec

from qsuper.encoding import to_json
from qsuper.errors import ScoreboardError
from qsuper.scoreboard.fields import Int, Part

BULLETIN_SIZE = 256 * 1024


class Bulletin(Part):
    """JSON, replaced whole."""

    sequence = Int(0)
    length = Int(8)

    def post(self, value: Any) -> None:
        """Replace the text. A value too long for the board is refused whole."""
        raw = to_json(value)
        if len(raw) > BULLETIN_SIZE - 16:
            raise ScoreboardError(f"a bulletin of {len(raw)} bytes does not fit the scoreboard")
        self.sequence |= 1
        start = self.start + 16
        self.bytes[start : start + len(raw)] = raw
        self.length = len(raw)
        self.sequence += 1

    def read(self) -> Any:
        """What was posted last, or None."""
        for _ in range(100):
            before = self.sequence
            start = self.start + 16
            raw = bytes(self.bytes[start : start + self.length])
            if before % 2 == 0 and self.sequence == before:
                return msgspec.json.decode(raw) if raw else None
            time.sleep(0.001)
        return None
