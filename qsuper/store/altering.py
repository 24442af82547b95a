"""How far an ALTER TABLE of ours is, seen from another connection."""

from qsuper.errors import StoreError
from qsuper.store.backend import Statement
from qsuper.store.database import Connection

# Its stages take equally long as far as anybody knows beforehand.
_PERCENT = Statement(
    """
    SELECT (stage - 1 + progress / 100) / max_stage * 100 FROM information_schema.processlist
    WHERE user = SUBSTRING_INDEX(USER(), '@', 1) AND db = DATABASE() AND command = 'Query'
        AND id <> CONNECTION_ID() AND info LIKE '%ALTER TABLE%' AND max_stage > 0
    ORDER BY time DESC LIMIT 1
    """
)


def percent(connection: Connection) -> int | None:
    """From 0 to 100; None when none is under way, or the server does not tell: MySQL does not."""
    try:
        row = connection.row(_PERCENT)
    except StoreError:
        return None
    return None if row is None else int(row[0])
