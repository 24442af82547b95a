"""How much of a measurement is made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """The whole of it, or, to see that it works, a small part."""

    rounds: int = 5
    share: float = 1.0
    """Of the jobs of each round."""

    def jobs(self, count: int) -> int:
        return max(100, int(count * self.share))


WHOLE = Effort()
QUICK = Effort(rounds=2, share=0.05)
