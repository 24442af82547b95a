"""What is done to all jobs that fit."""

import threading
import time

from qsuper.errors import QsuperError
from qsuper.roles.web.actions.action import Done, Unconfirmed
from qsuper.roles.web.fields import BadField, Fields
from qsuper.roles.web.serving import unfinished
from qsuper.roles.web.site import Site
from qsuper.states import FINISHED, State
from qsuper.store import bulk
from qsuper.store.bulk import Round, Tally
from qsuper.store.position import Position
from qsuper.store.selection import Selection
from qsuper.store.threads import Threads

CHOICE = ("state", "queue", "task", "name", "error", "since", "until", "all")
"""Fields by which jobs are chosen; `all` where nothing is."""
ASK_ABOVE = 1000
"""More jobs than that are moved only when somebody has said yes."""
TIME_MOST = 10.0
"""Seconds after which one is told how far it is, and asks again."""
COUNT_FOR = 5.0
"""Seconds in which it must be plain how many there are, if nobody has said yes."""

_one_at_a_time = threading.Lock()


class Busy(QsuperError):
    """Many jobs are being moved already; try again when that is over."""


def retry(site: Site, fields: Fields) -> Done:
    """Give finished ones a fresh set of attempts: the dead ones, unless `state` says otherwise."""
    state = fields.state()
    state = State.DEAD if state is None else state
    if state not in FINISHED:
        raise BadField("state is one of dead, done, cancelled: only finished jobs can be retried")
    tally, at = _move(site, fields, (state,), bulk.retry, "run again")
    text = f"{_jobs(tally.moved)} will run again"
    if tally.twins:
        text += f"; {_jobs(tally.twins)} cannot: a live job has the same name"
    return _done(text, tally.moved, at, twins=tally.twins)


def cancel(site: Site, fields: Fields) -> Done:
    """Take waiting ones back; with `running` end those that run as well."""
    state, running = fields.state(), fields.flag("running")
    if state is not None and state not in bulk.WAITING:
        raise BadField("state is one of scheduled, held, ready: those can be cancelled")
    if running and state is not None:
        raise BadField("running and state exclude each other")
    states = bulk.WAITING if state is None else (state,)
    if running:
        states = (*states, State.RUNNING)
    tally, at = _move(site, fields, states, bulk.cancel, "be cancelled")
    text = f"{_jobs(tally.moved)} cancelled"
    if running:
        text += f"; {_jobs(len(tally.marked))} being ended"
    return _done(text, tally.moved, at, ending=len(tally.marked))


def _move(
    site: Site, fields: Fields, states: tuple[State, ...], move: bulk.Move, what: str
) -> tuple[Tally, Position | None]:
    """Move what fits, and where to go on if that was not all of it."""
    selection, begin = _selection(fields), _position(fields)
    if not _one_at_a_time.acquire(blocking=False):
        raise Busy
    threads = Threads(site.database)
    try:
        if not fields.flag("yes"):
            _count(threads, Round(selection, states, None, begin), what)
        round, ends = Round(selection, states, move, begin), time.monotonic() + TIME_MOST
        for _ in bulk.pages(threads, round):
            if time.monotonic() > ends:
                break
        unfinished.keep(selection, states, round.position)
        return round.tally, round.position
    finally:
        threads.close()
        _one_at_a_time.release()


def _selection(fields: Fields) -> Selection:
    selection = Selection(
        queue=fields.text("queue"),
        task=fields.text("task"),
        name=fields.text("name"),
        error=fields.text("error"),
        since=fields.moment("since"),
        until=fields.moment("until"),
    )
    if selection == Selection() and not fields.flag("all"):
        raise BadField(f"which jobs? Choose by {', '.join(CHOICE[1:-1])}; all takes all")
    return selection


def _position(fields: Fields) -> Position | None:
    """Where an earlier call for the same jobs has come to."""
    text = fields.text("at")
    try:
        return None if text is None else Position.read(text)
    except ValueError:
        raise BadField("at is what the last call for these jobs has answered") from None


def _count(threads: Threads, round: Round, what: str) -> None:
    """Go on only if there are few, and that is plain in time."""
    ends = time.monotonic() + COUNT_FOR
    for tally in bulk.pages(threads, round):
        if tally.found > ASK_ABOVE:
            raise Unconfirmed(f"more than {ASK_ABOVE:,} jobs would {what}: say yes to it")
        if time.monotonic() > ends:
            raise Unconfirmed(
                f"how many jobs would {what} cannot be counted in {COUNT_FOR:g} s"
                f" ({tally.found:,} so far): say yes to it"
            )


def _done(text: str, moved: int, at: Position | None, **numbers: int) -> Done:
    if at is not None:
        text += "; not all were looked at: do it again to go on"
    told = {"moved": moved, "over": at is None, "at": None if at is None else str(at)}
    return Done(text, told | numbers)


def _jobs(count: int) -> str:
    return f"{count:,} job" if count == 1 else f"{count:,} jobs"
