"""A job that waits for its time is run now."""

from qsuper.errors import NoSuchJob
from qsuper.states import State
from qsuper.store.backend import Statement
from qsuper.store.enqueueing import Writer

# `claims` grows: what looked at the row before refers to another time.
_HURRY = Statement(
    """
    UPDATE queue SET status = 0, claims = claims + 1, run_at = {now}, mtime = {now}
    WHERE id = :id AND status = 4
    """
)
_AS_IT_IS = Statement("SELECT status, held_by FROM queue WHERE id = :id {as_it_is}")


def hurry(writer: Writer, job_id: int) -> tuple[State, str | None]:
    """Make a scheduled job ready: a timer, a delay or a backoff is over.

    Returns the state in which that left it (READY: it runs as soon as a worker is free) and, of a
    held one, the limit that holds it. Raises `NoSuchJob`.
    """
    while not writer.run(_HURRY, id=job_id):
        rows = writer.rows(_AS_IT_IS, id=job_id)
        if not rows:
            raise NoSuchJob(f"there is no job {job_id}")
        state = State(rows[0][0])
        if state is not State.SCHEDULED:
            return state, rows[0][1]
    return State.READY, None
