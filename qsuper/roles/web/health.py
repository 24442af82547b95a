"""What probes ask: does it live, and could it work."""

from qsuper.errors import QsuperError
from qsuper.picture import Picture
from qsuper.picture.trouble import STALE
from qsuper.states import ChildState

SILENT_MOST = 2 * STALE
"""Seconds for which the master may have said nothing."""
_IN_THE_WAY = ("lease", "database", "master silent", "stopping")
"""Kinds of trouble with which nothing would be run here."""


def lives(picture: Picture | QsuperError) -> str:
    """Empty as long as this process serves and the master works; else what is wrong."""
    if isinstance(picture, QsuperError):
        return str(picture)
    if picture.posted_ago is not None and picture.posted_ago > SILENT_MOST:
        return "the master is silent"
    return ""


def hindrances(picture: Picture | QsuperError) -> list[str]:
    """Why no job would be run here now, or not of each queue; empty when it is ready."""
    if isinstance(picture, QsuperError):
        return [str(picture)]
    found = [trouble.text for trouble in picture.troubles if trouble.kind in _IN_THE_WAY]
    if picture.lease_left is None and not found:
        found.append("the database has not been reached since the start")
    for queue in picture.queues:
        states = {child.state for child in picture.children if child.queue == queue.name}
        if states == {ChildState.FATAL}:
            found.append(f"every worker of queue {queue.name} is FATAL")
    return found
