"""Running jobs that somebody wants ended."""

from dataclasses import dataclass

from qsuper.store.backend import Statement
from qsuper.store.database import Connection

_MARKED = Statement(
    """
    SELECT id, claims, worker FROM queue
    WHERE queue = :queue AND status = 2 AND cancel = 1 AND worker LIKE :pattern
    """
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One of them: this claim of it."""

    job_id: int
    claims: int
    worker: str


def marked(connection: Connection, queue: str, boot: str) -> list[Mark]:
    """Those that workers of one boot of a node hold."""
    return [Mark(*row) for row in connection.rows(_MARKED, queue=queue, pattern=f"{boot}-%")]
