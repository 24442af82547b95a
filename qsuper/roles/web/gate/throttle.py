"""How often somebody may be wrong about the token."""

from collections import OrderedDict
from dataclasses import dataclass

FREE = 5
"""Mistakes of one address that cost nothing."""
FREE_IN_ALL = 50
DELAY_MOST = 30.0
"""Seconds one address waits at most."""
DELAY_MOST_IN_ALL = 5.0
"""And all together."""
FORGET_AFTER = 900.0
"""Seconds without a mistake after which those before count no more."""
ADDRESSES_MOST = 1024
"""Of more than that the one that was wrong longest ago is forgotten."""


@dataclass(slots=True)
class _Record:
    mistakes: int = 0
    last: float = 0.0

    def wait(self, free: int, most: float, now: float) -> float:
        if self.mistakes < free:
            return 0.0
        delay = min(most, 2.0 ** min(self.mistakes - free, 16))
        return max(0.0, self.last + delay - now)

    def note(self, now: float) -> None:
        if now - self.last > FORGET_AFTER:
            self.mistakes = 0
        self.mistakes += 1
        self.last = now


class Throttle:
    """Mistakes by address, and in all. Time is in seconds of any clock that does not jump."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, _Record] = OrderedDict()
        self._all = _Record()

    def wait(self, address: str, now: float) -> float:
        """Seconds for which a further mistake of this address is not looked at; 0 when it is."""
        own = self._of.get(address)
        return max(
            own.wait(FREE, DELAY_MOST, now) if own else 0.0,
            self._all.wait(FREE_IN_ALL, DELAY_MOST_IN_ALL, now),
        )

    def wrong(self, address: str, now: float) -> None:
        """It has given something else than the token."""
        record = self._of.setdefault(address, _Record())
        self._of.move_to_end(address)
        record.note(now)
        self._all.note(now)
        if len(self._of) > ADDRESSES_MOST:
            self._of.popitem(last=False)

    def right(self, address: str) -> None:
        """It has given the token: one of its mistakes is forgiven, for others may have made the
        rest."""
        record = self._of.get(address)
        if record is not None:
            record.mistakes = max(0, record.mistakes - 1)
