"""The master's bulletin: what `status` tells of the children."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from qsuper.errors import ScoreboardError
from qsuper.master.child import Child
from qsuper.master.crew import Crew
from qsuper.master.messages import Messages
from qsuper.scoreboard import Header, Scoreboard, clock
from qsuper.version import VERSION


def post(
    board: Scoreboard,
    crew: Crew,
    wanted: Mapping[str, int],
    remembered: Mapping[str, int],
    messages: Messages,
    decisions: Iterable[Mapping[str, Any]],
) -> None:
    """Put the state of all children up."""
    header: Header = board.header
    now, unix = clock(), time.time()
    bulletin = {
        "version": VERSION,
        "nonce": header.nonce,
        "children": [_describe(child, now, unix) for child in _sorted(crew)],
        "wanted": wanted,
        "scale_remembered": remembered,
        "paused": bool(header.paused),
        "stopping": bool(header.stopping),
        "messages": messages.shown(),
        "decisions": list(decisions),
        "exits": crew.exits,
        "posted": unix,
    }
    try:
        board.bulletin("master").post(bulletin)
    except ScoreboardError as error:
        messages.say("bulletin", str(error))
        board.bulletin("master").post(bulletin | {"children": [], "messages": messages.shown()})


def _sorted(crew: Crew) -> list[Child]:
    """Queue by queue, then what there is one of."""
    return sorted(crew.children, key=lambda one: (one.queue is None, one.queue or "", one.number))


def _describe(child: Child, now: float, unix: float) -> dict[str, Any]:
    waiting = not child.alive and child.retry_at > now and child.retry_at < now + 3600
    return {
        "name": child.name,
        "role": child.kind.name,
        "queue": child.queue,
        "number": child.number,
        "state": child.state,
        "since": unix - (now - child.since),
        "pid": child.pid,
        "restarts": max(0, child.forks - 1),
        "last_exit": child.last_exit,
        "slot": None if child.record is None else child.record.slot,
        "retry_in": round(child.retry_at - now, 3) if waiting else None,
    }
