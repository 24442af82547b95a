"""From a time to an id: rows are entered in the order of their ids, and no index knows when."""

from qsuper.store.backend import Statement
from qsuper.store.database import Connection

SLACK = 60.0
"""Seconds by which a row may have been entered before one with a smaller id: transactions take
their time, and clocks are set."""

_EDGES = Statement("SELECT MIN(id), MAX(id) FROM queue")
_AT = Statement("SELECT id, {unix:ctime} FROM queue {by_id} WHERE id >= :id ORDER BY id LIMIT 1")


def first_since(connection: Connection, moment: float) -> int | None:
    """The first id of those entered from that Unix time on, at the earliest; None when none was.

    By halving, in some twenty looks. Rows whose `ctime` was written by hand mislead it.
    """
    least, last = connection.row(_EDGES)
    if least is None:
        return None
    low, high = int(least), int(last) + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.row(_AT, id=middle)
        if row is None or (row[1] is not None and float(row[1]) >= moment + SLACK):
            high = middle
        else:
            low = int(row[0]) + 1
    return low if low <= last else None
