"""What is wrong with a node, in sentences."""

from collections.abc import Iterator, Sequence

from qsuper.picture.picture import CAP, Child, Picture, Trouble
from qsuper.picture.spans import span
from qsuper.states import ChildState, State

STALE = 5.0
"""Seconds after which what was posted is said to be old."""
LEASE_SAFE = 1 / 3
"""Part of a lease that is left when workers begin nothing more."""
BOOTS_WITHIN = 60.0
"""Seconds after which a child that still starts is said to hang."""
_NAMED_MOST = 3
_IMPORTING = ("worker", "keeper", "listener")
"""Roles that import the application."""


def troubles(
    picture: Picture, messages: Sequence[Trouble], *, lease: float, unix: float
) -> Iterator[Trouble]:
    """What is wrong, the worst first; `unix` is the time of day."""
    yield from _silence(picture, unix)
    yield from _children(picture)
    yield from _slow_starts(picture.children, unix)
    yield from _complaints(picture.children, unix)
    yield from _lease(picture, lease, unix)
    yield from messages
    if picture.stopping:
        yield Trouble("stopping", "", "qsuper is stopping")
    if picture.paused:
        text = "this node is paused and begins nothing; `qsuper resume` lets it go on"
        yield Trouble("paused", "", text)
    yield from _queues(picture)


def _silence(picture: Picture, unix: float) -> Iterator[Trouble]:
    if picture.posted_ago is None:
        if picture.up > STALE:
            text = "the master has not said yet how its children are"
            yield Trouble("master silent", "", text, picture.started)
    elif picture.posted_ago > STALE:
        ago = picture.posted_ago
        text = f"the master has said nothing for {span(ago)}: what follows is old"
        yield Trouble("master silent", "", text, unix - ago)
    counted = picture.up if picture.counted_ago is None else picture.counted_ago
    # The keeper of the last run has counted, too.
    if min(counted, picture.up) > STALE:
        text = f"the queues have not been counted for {span(counted)}"
        yield Trouble("not counted", "", text, unix - counted)


def _children(picture: Picture) -> Iterator[Trouble]:
    for state in (ChildState.FATAL, ChildState.BACKOFF):
        for child in picture.children:
            if child.state != state:
                continue
            why = f": {child.last_exit}" if child.last_exit else ""
            when = f", tried again in {span(child.retry_in)}" if child.retry_in else ""
            yield Trouble(
                state.value, child.name, f"{child.name} is {state}{why}{when}", child.since
            )


def _slow_starts(children: Sequence[Child], unix: float) -> Iterator[Trouble]:
    """Who has not come up in time; one sentence for all who may hang in the same import."""
    slow = [
        child
        for child in children
        if child.state == ChildState.STARTING and unix - child.since > BOOTS_WITHIN
    ]
    importing = [child for child in slow if child.role in _IMPORTING]
    others = [child for child in slow if child.role not in _IMPORTING]
    for who, why in ((importing, ": its application hangs while it is imported?"), (others, "")):
        if who:
            have = "has" if len(who) == 1 else "have"
            since = min(child.since for child in who)
            text = f"{_names(who)} {have} been STARTING for {span(unix - since)}{why}"
            yield Trouble("slow start", who[0].name, text, since)


def _complaints(children: Sequence[Child], unix: float) -> Iterator[Trouble]:
    """What children say themselves; one sentence for all that say the same."""
    said: dict[tuple[str, str], list[Child]] = {}
    for child in children:
        if child.trouble:
            said.setdefault((child.trouble, child.away), []).append(child)
    for (trouble, away), who in said.items():
        since = min(child.trouble_since for child in who)
        text = f"{_names(who)}: {trouble} (for {span(unix - since)})"
        yield Trouble(away or "complaint", who[0].role, text, since)


def _names(children: Sequence[Child]) -> str:
    names = ", ".join(child.name for child in children[:_NAMED_MOST])
    more = len(children) - _NAMED_MOST
    return f"{names} and {more} more" if more > 0 else names


def _lease(picture: Picture, lease: float, unix: float) -> Iterator[Trouble]:
    left = picture.lease_left
    if left is None:
        if picture.up > STALE:
            text = "the node has no lease yet: the database has not been reached since the start"
            yield Trouble("lease", "", text, picture.started)
    elif left < lease * LEASE_SAFE:
        renewed = unix + left - lease
        follows = "it is alone and works on" if picture.alone else "nothing is begun until then"
        if left < 0:
            text = f"the lease ended {span(-left)} ago and must be renewed; {follows}"
        else:
            text = f"the lease ends in {span(left)}: it could not be renewed"
        yield Trouble("lease", "", text, renewed)


def _queues(picture: Picture) -> Iterator[Trouble]:
    for queue in picture.queues:
        if queue.paused:
            text = f"queue {queue.name} is paused on every node"
            yield Trouble("queue paused", queue.name, text)
        ready = queue.states.get(State.READY.word, 0)
        if ready and not queue.wanted and not queue.total:
            count = f"{CAP}+" if ready > CAP else ready
            text = f"queue {queue.name} has {count} ready jobs and no workers"
            yield Trouble("no workers", queue.name, text)
