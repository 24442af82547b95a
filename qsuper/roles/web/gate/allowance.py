"""How many lines of the log strangers may cause: the disk is not theirs to fill."""

PERIOD = 60.0
"""Seconds for which it is given."""


class Allowance:
    """So many in each period. Time is in seconds of any clock that does not jump."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ends = 0.0
        self._taken = 0
        self._left_out = 0

    def take(self, now: float) -> str | None:
        """How the line ends: with the number of those left out before it; None when it is to be
        left out, too."""
        if now >= self._ends:
            self._ends, self._taken = now + PERIOD, 0
        if self._taken == self._most:
            self._left_out += 1
            return None
        self._taken += 1
        left_out, self._left_out = self._left_out, 0
        return f", and {left_out} before it" if left_out else ""
