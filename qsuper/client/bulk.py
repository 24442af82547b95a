"""Many jobs retried or cancelled at once."""

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack

from qsuper.errors import ParamError
from qsuper.states import FINISHED, State
from qsuper.store import bulk
from qsuper.store.bulk import Move, Round, Tally
from qsuper.store.selection import Selection
from qsuper.store.threads import Threads


class Chosen(TypedDict, total=False):
    """Which jobs: those that fit all that is given."""

    queue: str
    task: str
    error: str
    """A part of the last attempt's error."""
    since: float | datetime | timedelta
    """Unix time, or a datetime with its time zone, from which on they finished (or, of what has not
    finished: were enqueued); a timedelta is so long ago."""
    until: float | datetime | timedelta
    """The same, before which they did."""
    everything: bool
    """With nothing else given: all of them are meant."""


class Bulk:
    """`queue.bulk.retry(task="send_msg", since=timedelta(hours=2))`.

    Works in small steps that hold nobody up, so it is not all or nothing: after an error call it
    again for the rest. Each method raises `ParamError` when nothing is chosen.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    def retry(self, *, state: State = State.DEAD, **chosen: Unpack[Chosen]) -> Tally:
        """Give finished jobs of one state a fresh set of attempts. A job whose name a live one has
        stays as it is, and is counted in the answer."""
        if state not in FINISHED:
            raise ParamError(f"only finished jobs can be retried, and {state.word} is not finished")
        return self._move(chosen, (state,), bulk.retry)

    def cancel(self, *, running: bool = False, **chosen: Unpack[Chosen]) -> Tally:
        """Take waiting jobs back; with `running` have those that run ended, too."""
        states = (*bulk.WAITING, State.RUNNING) if running else bulk.WAITING
        return self._move(chosen, states, bulk.cancel)

    def count(self, *states: State, **chosen: Unpack[Chosen]) -> int:
        """How many there are, in these states: what a retry or a cancel would find."""
        return self._move(chosen, states, None).found

    def _move(self, chosen: Chosen, states: tuple[State, ...], move: Move | None) -> Tally:
        selection = Selection(
            queue=chosen.get("queue"),
            task=chosen.get("task"),
            error=chosen.get("error"),
            since=_unix(chosen.get("since")),
            until=_unix(chosen.get("until")),
        )
        if selection == Selection() and not chosen.get("everything"):
            raise ParamError("nothing is chosen: say which jobs, or everything=True")
        round = Round(selection, states, move)
        deque(bulk.pages(self._threads, round), maxlen=0)
        return round.tally


def _unix(moment: float | datetime | timedelta | None) -> float | None:
    if isinstance(moment, timedelta):
        moment = datetime.now(UTC) - moment
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ParamError(f"{moment} is a datetime without a time zone: give it one, or UTC")
        return moment.timestamp()
    return moment
