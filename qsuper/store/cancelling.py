"""Taking waiting jobs back, and giving finished ones another try."""

from qsuper.errors import LiveTwin, NoSuchJob, StoreError
from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.enqueueing import Writer

_CANCEL = Statement(
    "UPDATE queue SET status = 5, mtime = {now} WHERE id = :id AND status IN (0, 4, 6)"
)
_LIVE_ID = Statement("SELECT id FROM queue WHERE {live}")
_STATE = Statement("SELECT status FROM queue WHERE id = :id")
_AS_IT_IS = Statement("SELECT status, name FROM queue WHERE id = :id {as_it_is}")
_REVIVE = Statement(
    """
    UPDATE queue SET status = 0, attempt = 0, claims = claims + 1, cancel = 0, worker = NULL,
        took_ms = NULL, put_off_since = NULL, run_at = {now}, mtime = {now}
    WHERE id = :id AND status IN (1, 3, 5)
    """
)


def cancel(writer: Writer, job_id: int) -> State:
    """Take a waiting job back; returns the state it is in now (RUNNING: it was too late)."""
    if writer.run(_CANCEL, id=job_id):
        return State.CANCELLED
    rows = writer.rows(_AS_IT_IS, id=job_id)
    if not rows:
        raise NoSuchJob(f"there is no job {job_id}")
    return State(rows[0][0])


def state_of(writer: Writer, job_id: int) -> State | None:
    """Its state, or None when there is no such job."""
    rows = writer.rows(_STATE, id=job_id)
    return State(rows[0][0]) if rows else None


def revive(connection: Connection, job_id: int) -> State:
    """Give a finished job a fresh set of attempts; returns the state it was in.

    Raises `LiveTwin` when a live job has its name: two of one name cannot live.
    """
    with connection.transaction():
        row = connection.row(_AS_IT_IS, id=job_id)
        if row is None:
            raise NoSuchJob(f"there is no job {job_id}")
        status, name = row
        try:
            connection.run(_REVIVE, id=job_id)
        except StoreError:
            # The unique index has the last word on names: a look beforehand could be overtaken.
            if twin := connection.row(_LIVE_ID, name=name):
                raise LiveTwin(
                    f"job {job_id} has a live twin of the same name, job {twin[0]}"
                ) from None
            raise
        return State(status)
