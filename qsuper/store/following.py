"""Jobs that somebody follows: one look for all of them."""

from dataclasses import dataclass

from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

_ROWS = Statement(
    "SELECT id, status, attempt, claims, cancel, progress FROM queue WHERE id IN {ids}"
)


@dataclass(frozen=True, slots=True)
class Glance:
    """What changes of a job while it lives."""

    id: int
    state: str
    attempt: int
    claims: int
    ending: bool
    """Somebody has cancelled it while it ran."""
    progress: str | None
    """How far it said it was, in words."""


def look(connection: Connection, ids: list[int]) -> dict[int, Glance]:
    """Those of `ids` that are there."""
    rows = connection.rows(_ROWS, ids=ids)
    return {
        row[0]: Glance(row[0], State(row[1]).word, row[2], row[3], bool(row[4]), row[5])
        for row in rows
    }
