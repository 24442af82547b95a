"""Taking waiting jobs back, having running ones ended, and giving finished ones another try."""

from qsuper.errors import LiveTwin, NoSuchJob, StoreError
from qsuper.states import FINISHED, State
from qsuper.store.backend import Statement
from qsuper.store.database import Connection
from qsuper.store.enqueueing import Writer

CANCEL = "UPDATE queue SET status = 5, held_by = NULL, mtime = {now}"
MARK = "UPDATE queue SET cancel = 1"
# `status` comes last: MySQL assigns from left to right, and every CASE shall see the old one.
# What was done has been counted in its group, and has no more use for what it kept for later.
REVIVE = """
    UPDATE queue SET attempt = 0, claims = claims + 1, cancel = 0, worker = NULL, held_by = NULL,
        took_ms = NULL, put_off_since = NULL, progress = NULL, result = NULL,
        state = CASE WHEN status = 1 THEN NULL ELSE state END,
        group_id = CASE WHEN status = 1 THEN NULL ELSE group_id END,
        run_at = {now}, mtime = {now}, status = 0
"""

_CANCEL = Statement(f"{CANCEL} WHERE id = :id AND status IN (0, 4, 6)")
_MARK = Statement(f"{MARK} WHERE id = :id AND status = 2 AND cancel = 0")
_REVIVE = Statement(f"{REVIVE} WHERE id = :id AND status IN (1, 3, 5)")
_STATE = Statement("SELECT status FROM queue WHERE id = :id")
_STATES = Statement("SELECT id, status FROM queue WHERE id IN {ids}")
_AS_IT_IS = Statement("SELECT status, cancel, name FROM queue WHERE id = :id {as_it_is}")
_LIVE_ID = Statement("SELECT id FROM queue WHERE {live}")
_TWIN = Statement(
    "SELECT twin.id FROM queue JOIN queue twin ON {twin} AND twin.id <> queue.id"
    " WHERE queue.id = :id"
)


def cancel(writer: Writer, job_id: int, *, running: bool = False) -> State:
    """Take a waiting job back; returns the state it is in now.

    RUNNING means that it was too late; with `running` it is to be ended then, and will be
    `cancelled` once its process tree has ended. Raises `NoSuchJob`.
    """
    while True:
        if writer.run(_CANCEL, id=job_id):
            return State.CANCELLED
        if running and writer.run(_MARK, id=job_id):
            return State.RUNNING
        rows = writer.rows(_AS_IT_IS, id=job_id)
        if not rows:
            raise NoSuchJob(f"there is no job {job_id}")
        state, marked = State(rows[0][0]), bool(rows[0][1])
        if settled(state, marked, running):
            return state


def settled(state: State, marked: bool, running: bool) -> bool:
    """Whether a row that was neither taken back nor marked can be left in the state it is in.

    Otherwise it has moved between the writes and the look, and the writes are tried again.
    """
    if state is State.RUNNING:
        return marked or not running
    return state in FINISHED


def state_of(writer: Writer, job_id: int) -> State | None:
    """Its state, or None when there is no such job."""
    rows = writer.rows(_STATE, id=job_id)
    return State(rows[0][0]) if rows else None


def states_of(connection: Connection, ids: list[int]) -> dict[int, State]:
    """The states of those of `ids` that are there."""
    return {row[0]: State(row[1]) for row in connection.rows(_STATES, ids=ids)}


def twin_of(writer: Writer, job_id: int) -> int | None:
    """The live job, other than this one, that has its name."""
    rows = writer.rows(_TWIN, id=job_id)
    return int(rows[0][0]) if rows else None


def revive(connection: Connection, job_id: int) -> State:
    """Give a finished job a fresh set of attempts, the first one now; returns the state it was in.

    Raises `NoSuchJob`, and `LiveTwin` when a live job has its name: two of one name cannot live.
    """
    with connection.transaction():
        row = connection.row(_AS_IT_IS, id=job_id)
        if row is None:
            raise NoSuchJob(f"there is no job {job_id}")
        status, _, name = row
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
