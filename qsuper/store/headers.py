"""What rows say beside their param: `headers`, which any program may have written."""

from qsuper.store.backend import Statement
from qsuper.store.database import Connection

_HEADERS = Statement("SELECT id, headers FROM queue WHERE id IN {ids} AND headers IS NOT NULL")


def read(connection: Connection, ids: list[int]) -> dict[int, str]:
    """Those of `ids` that have any; not looked at, so they may be anything but JSON."""
    return {row[0]: row[1] for row in connection.rows(_HEADERS, ids=ids)}
