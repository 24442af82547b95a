"""Cancel marks: from the rows of this node's workers to their records, for the master to see."""

from qsuper.place import Place
from qsuper.scoreboard import Record
from qsuper.store.database import Connection
from qsuper.store.marks import Mark, marked


def post_marks(place: Place, connection: Connection) -> None:
    """Say on each worker's record which of its jobs is to end, and no longer, which has ended."""
    board = place.board
    found: dict[str, list[Mark]] = {}
    for queue in board.queues():
        for mark in marked(connection, queue.name, board.header.nonce):
            found.setdefault(mark.worker, []).append(mark)
    for record in board.records():
        if record.queue >= 0 and not record.ended:
            _post(record, found.get(record.worker, []))


def _post(record: Record, marks: list[Mark]) -> None:
    mark = _soonest(record, marks)
    if mark is None:
        if record.cancel:
            record.cancel = 0
    elif (record.cancel, record.cancel_claims) != (mark.job_id, mark.claims):
        # Never the new fence beside the old id.
        record.cancel = 0
        record.cancel_claims = mark.claims
        record.cancel = mark.job_id


def _soonest(record: Record, marks: list[Mark]) -> Mark | None:
    """The job in flight, else the one whose turn in the batch comes next."""
    if not marks:
        return None
    coming = record.ids[record.cursor // 2 :]
    ours = [mark for mark in marks if mark.job_id in coming]
    return min(ours, key=lambda mark: coming.index(mark.job_id), default=None)
