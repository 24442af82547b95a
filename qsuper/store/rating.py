"""Rates: at most so many jobs of a task start in a second, on however many nodes.

A rate has one row, with the time at which its next start is free. Who would start a job moves it on
by one interval, by a guarded UPDATE on the database's clock, and waits for the time that it has
thereby reserved.
"""

from qsuper.store.backend import Statement
from qsuper.store.database import Connection

AHEAD = 0.05
"""Seconds for which a worker waits for a start that it has reserved."""
CREDIT = 0.5
"""Of an interval: so much of a start that came late is made up for. With it, at most one start
more than the rate says falls into any second."""
_JUMP = 1.0
"""Seconds beyond what can have been reserved: then the clock was set back, or the rate raised."""

_RESERVE = Statement(
    """
    UPDATE rates SET free_at = :every + CASE
        WHEN free_at BETWEEN {unix_now} - :credit AND {unix_now} + :ahead THEN free_at
        WHEN free_at > {unix_now} THEN {unix_now} ELSE {unix_now} - :credit END
    WHERE name = :name AND (free_at <= {unix_now} + :ahead OR free_at > {unix_now} + :most)
    """
)
_RESERVED = Statement("SELECT free_at - :every - {unix_now} FROM rates WHERE name = :name")
_FREE_IN = Statement("SELECT free_at - {unix_now} FROM rates WHERE name = :name")
_ANY = Statement("SELECT 1 FROM rates LIMIT 1")
_MAKE = Statement("INSERT INTO rates (name) VALUES (:name) {on_same_name} name = :name")


def reserve(connection: Connection, name: str, every: float) -> float | None:
    """Reserve the next start of a rate with one in `every` seconds.

    Returns the seconds until then, 0.0 for at once; None when it is more than `AHEAD` from now.
    """
    bounds = {"ahead": AHEAD, "credit": CREDIT * every, "most": _most(every)}
    while True:
        # In one transaction: what is read afterwards is this reservation, not the next one.
        with connection.transaction():
            if connection.run(_RESERVE, name=name, every=every, **bounds):
                return max(0.0, float(connection.row(_RESERVED, name=name, every=every)[0]))
            known = connection.row(_FREE_IN, name=name) is not None
        if known:
            return None
        connection.run(_MAKE, name=name)


def starts_ahead(connection: Connection, name: str, every: float) -> int:
    """How many starts could be reserved now."""
    wait = free_in(connection, name)
    if wait is None or wait > _most(every):
        return 1
    return 0 if wait > AHEAD else 1 + int((AHEAD - max(wait, 0.0)) / every)


def free_in(connection: Connection, name: str) -> float | None:
    """Seconds until the next start is free; None when nothing has started yet."""
    found = connection.row(_FREE_IN, name=name)
    return None if found is None else float(found[0])


def are_kept(connection: Connection) -> bool:
    """Whether anything has ever started under a rate."""
    return connection.row(_ANY) is not None


def _most(every: float) -> float:
    return AHEAD + every + _JUMP
