"""What jobs failed of, counted: the same error of the same task is one kind."""

from dataclasses import dataclass

from qsuper.store.database import Connection
from qsuper.store.newest import Newest
from qsuper.store.selection import LAST_CLAIM, Selection

ERROR_HEAD = 200
"""Letters of an error by which it is told from others."""

_COLUMNS = f"""
    queue.id, queue.task, SUBSTR(past.error, 1, {ERROR_HEAD}),
    {{unix_now}} - {{unix:queue.mtime}}
"""
_TABLES = (
    "queue LEFT JOIN attempts past"
    f" ON past.job_id = queue.id AND past.claims = {LAST_CLAIM.replace('past.job_id', 'queue.id')}"
)


@dataclass(slots=True)
class Kind:
    """Jobs of one task with one error."""

    task: str
    error: str | None
    """The first line of it, up to `ERROR_HEAD` letters; None where none was recorded."""
    count: int
    last: float
    """Seconds since the latest one has become so."""
    job_id: int
    """The one that became so the latest."""


class Grouping:
    """A walk that counts, the newest first: call `step` until it answers False."""

    def __init__(self, selection: Selection) -> None:
        """`selection` names a state."""
        self._walk = Newest(selection)
        self._kinds: dict[tuple[str, str | None], Kind] = {}

    def step(self, connection: Connection) -> bool:
        """Count one page; False when none was left."""
        if not self._walk.page(connection):
            return False
        for job_id, task, error, ago in self._walk.fitting(connection, _COLUMNS, _TABLES):
            line = error.strip().partition("\n")[0] if error else None
            last = float(ago or 0.0)
            kind = self._kinds.setdefault((task, line), Kind(task, line, 0, last, job_id))
            kind.count += 1
            if (last, -job_id) < (kind.last, -kind.job_id):
                kind.last, kind.job_id = last, job_id
        self._walk.go_on()
        return True

    @property
    def kinds(self) -> list[Kind]:
        """The most frequent first."""
        return sorted(self._kinds.values(), key=lambda kind: -kind.count)
