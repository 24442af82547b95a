"""What a running job says of itself: written only while the claim is its own."""

from qsuper.errors import QsuperError
from qsuper.job import Job
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.enqueueing import Writer

PROGRESS_LENGTH_MOST = 255
_GUARD = "WHERE id = :id AND status = 2 AND worker = :worker AND claims = :claims"

_PROGRESS = Statement(f"UPDATE queue SET progress = :progress {_GUARD}")
_SAVE_STATE = Statement(f"UPDATE queue SET state = :state {_GUARD}")
_LOAD_STATE = Statement("SELECT state FROM queue WHERE id = :id")
_STILL_MINE = Statement(f"SELECT 1 FROM queue {_GUARD}")
_RESULT = Statement("SELECT result FROM queue WHERE id = :id")


def progress(connection: Connection, worker: str, job: Job, words: str) -> None:
    """How far it is, in words for people; nothing when the claim is lost."""
    text = words.encode("utf-8", "replace").decode().replace("\0", " ")[:PROGRESS_LENGTH_MOST]
    connection.run(_PROGRESS, progress=text, id=job.id, worker=worker, claims=job.claims)


def save_state(connection: Connection, worker: str, job: Job, text: str) -> None:
    """What the next attempt goes on from; raises `QsuperError` when the claim is lost."""
    guard = {"id": job.id, "worker": worker, "claims": job.claims}
    # A driver that counts changed rows says 0 for a state that is the same as before.
    if not connection.run(_SAVE_STATE, state=text, **guard) and not connection.rows(
        _STILL_MINE, **guard
    ):
        raise QsuperError(f"job {job.id} is not this worker's any more: its state was not saved")


def load_state(connection: Connection, job_id: int) -> str | None:
    row = connection.row(_LOAD_STATE, id=job_id)
    return row[0] if row else None


def result(writer: Writer, job_id: int) -> str | None:
    """JSON; None when there is none, or no such job."""
    rows = writer.rows(_RESULT, id=job_id)
    return rows[0][0] if rows else None
