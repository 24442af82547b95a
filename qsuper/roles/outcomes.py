"""How an attempt ended, as the scoreboard counts it."""

from qsuper.job import Buried, Cancelled, Discarded, Done, Failed, Outcome, PutOff, Snoozed
from qsuper.scoreboard import OUTCOMES

_NUMBERS: dict[type, int] = {
    kind: OUTCOMES.index(word)
    for kind, word in {
        Done: "done",
        Failed: "failed",
        Buried: "dead",
        Cancelled: "cancelled",
        Snoozed: "snoozed",
        Discarded: "discarded",
        PutOff: "put off",
    }.items()
}
_DEAD = OUTCOMES.index("dead")


def number_of(outcome: Outcome, wait: float | None) -> int:
    """Index into `OUTCOMES`; `wait` is None for a failure that no attempt follows."""
    if wait is None and isinstance(outcome, Failed):
        return _DEAD
    return _NUMBERS[type(outcome)]


def word_of(outcome: Outcome, wait: float | None) -> str:
    """The same as a word."""
    return OUTCOMES[number_of(outcome, wait)]
