"""The attempts of a job that did not succeed, as one looks at them: the newest first, each text cut
to its head. There may be a million of them."""

from dataclasses import dataclass

from qsuper.store.backend import Statement
from qsuper.store.counting import CAP
from qsuper.store.database import Connection

LATEST_MOST = 100_000
"""Letters of each text of the newest attempt."""
HEAD_MOST = 2000
"""Letters of each text of those before it."""

_PAST = Statement(
    """
    SELECT claims, attempt, outcome, worker, node, {unix:ended_at}, SUBSTR(error, 1, :letters),
        SUBSTR(traceback, 1, :letters), SUBSTR(output, 1, :letters)
    FROM attempts WHERE job_id = :id AND claims < :before ORDER BY claims DESC LIMIT :most
    """
)
_COUNT = Statement(
    f"SELECT COUNT(*) FROM (SELECT 1 FROM attempts WHERE job_id = :id LIMIT {CAP + 1}) counted"
)
_END = 2**62


@dataclass(frozen=True, slots=True)
class Attempt:
    """One of them."""

    claims: int
    """Tells it from the job's others: `attempt` begins anew with each retry."""
    attempt: int
    outcome: str
    worker: str | None
    node: str | None
    ended_at: float | None
    """Unix time; None where none can be read."""
    error: str | None
    traceback: str | None
    output: str | None
    cut: bool
    """There is more of one of the texts."""


def newest(connection: Connection, job_id: int, most: int) -> list[Attempt]:
    """Up to `most` of them, the newest one first."""
    found = _read(connection, job_id, before=_END, most=1, letters=LATEST_MOST)
    if found and most > 1:
        before = found[0].claims
        found += _read(connection, job_id, before=before, most=most - 1, letters=HEAD_MOST)
    return found


def count(connection: Connection, job_id: int) -> int:
    """How many there are, counted up to `CAP`; `CAP + 1` means more."""
    return int(connection.row(_COUNT, id=job_id)[0])


def _read(
    connection: Connection, job_id: int, *, before: int, most: int, letters: int
) -> list[Attempt]:
    bound = {"id": job_id, "before": before, "most": most, "letters": letters + 1}
    found: list[Attempt] = []
    for row in connection.rows(_PAST, **bound):
        claims, attempt, outcome, worker, node, ended_at, *texts = row
        heads = [None if text is None else text[:letters] for text in texts]
        found.append(
            Attempt(
                claims=claims,
                attempt=attempt,
                outcome=outcome,
                worker=worker,
                node=node,
                ended_at=None if ended_at is None else float(ended_at),
                error=heads[0],
                traceback=heads[1],
                output=heads[2],
                cut=any(len(text or "") > letters for text in texts),
            )
        )
    return found
