"""The table `queue` of a MySQL or MariaDB server: engine and character sets."""

from dataclasses import dataclass

from qsuper.store.backend import Statement
from qsuper.store.database import Connection

_ENGINE = Statement(
    """
    SELECT engine FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name = 'queue'
    """
)
# Those that strangers write.
_CHARSETS = Statement(
    """
    SELECT column_name, character_set_name FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'queue'
        AND column_name IN ('queue', 'task', 'param', 'result', 'progress')
        AND character_set_name <> 'utf8mb4'
    """
)


@dataclass(frozen=True, slots=True)
class QueueTable:
    """How the table was made."""

    engine: str
    narrow: dict[str, str]
    """Columns that hold no utf8mb4, and what they hold instead."""


def look(connection: Connection) -> QueueTable:
    """Raises `StoreError`; the table has to be there."""
    return QueueTable(
        engine=str(connection.row(_ENGINE)[0]),
        narrow={str(name): str(charset) for name, charset in connection.rows(_CHARSETS)},
    )
