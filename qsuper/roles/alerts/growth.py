"""How much a number that only grows has grown within the last so many seconds."""

from msgspec import Struct

PARTS = 20
"""The window moves on in as many steps."""


class Growth(Struct, frozen=True):
    """Begins anew with each master, whose counts begin at nothing."""

    run: float = 0.0
    """Unix time at which the master has started that counts."""
    total: int = 0
    """What it had counted at the last look."""
    steps: tuple[tuple[float, int], ...] = ()
    """By how much it grew, each with its Unix time."""

    def after(self, run: float, total: int, now: float, window: float) -> "Growth":
        """As it is after a look at Unix time `now`."""
        if run == self.run:
            grown = total - self.total
        else:
            # Of a master older than the window nobody knows when it has counted what.
            grown = total if now - run <= window else 0
        steps = [step for step in self.steps if now - window < step[0] <= now]
        if grown > 0:
            last = steps[-1] if steps else None
            if last is not None and now - last[0] < window / PARTS:
                steps[-1] = (last[0], last[1] + grown)
            else:
                steps.append((now, grown))
        return Growth(run, total, tuple(steps))

    @property
    def grown(self) -> int:
        return sum(count for _, count in self.steps)
