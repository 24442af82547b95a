"""Jobs as one leafs through them: any filter, the newest first, each page at a bounded cost.

Pages go by key, never by OFFSET. What an index holds together (a state, a queue) is read from
there; what no index knows (a task, a text) is looked for among a bounded number of rows, and the
page says how far it came.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from qsuper.states import State
from qsuper.store import places
from qsuper.store.backend import Backend, Statement
from qsuper.store.database import Connection
from qsuper.store.jumping import first_since
from qsuper.store.position import LAST_ID
from qsuper.store.selection import LAST_CLAIM, Selection

PAGE = 50
LOOK_MOST = 10_000
"""Rows that are looked at for one page."""
LOOK_FOR = 1.0
"""Seconds after which no more are: params may be large."""
_AT_ONCE = 500
PLACES_MOST = 64
"""Places that are read side by side; where there are more the rows are looked at one after the
other."""
_PARAM_MOST, _ERROR_MOST = 200, 300

_ALL = Statement("SELECT id FROM queue {by_id} WHERE id < :before ORDER BY id DESC LIMIT :most")
_FITTING = "SELECT id FROM queue WHERE id IN {ids}"
_ROWS = Statement(
    f"""
    SELECT id, queue, task, name, status, priority, attempt, max_attempts,
        SUBSTR(param, 1, {_PARAM_MOST}), {{unix:run_at}}, {{unix:started_at}}, took_ms,
        {{unix:ctime}}, {{unix:mtime}}, (
            SELECT SUBSTR(past.error, 1, {_ERROR_MOST}) FROM attempts past
            WHERE past.job_id = queue.id AND past.claims = {LAST_CLAIM}
        )
    FROM queue WHERE id IN {{ids}} ORDER BY id DESC
    """
)
_TEXT = (
    "(INSTR(param, :text) > 0 OR INSTR((SELECT past.error FROM attempts past"
    " WHERE past.job_id = queue.id ORDER BY past.claims DESC LIMIT 1), :text) > 0)"
)


@dataclass(frozen=True, slots=True)
class Browse(Selection):
    """What one wants to see."""

    text: str | None = None
    """A part of the param or of the last attempt's error, letter by letter."""

    def _conditions(self, backend: Backend) -> Iterator[tuple[str, str, Any]]:
        yield from Selection._conditions(self, backend)
        if self.text is not None:
            yield _TEXT, "text", self.text


@dataclass(frozen=True, slots=True)
class Row:
    """A job in a list. Times are Unix times; None where there is none, or none that can be read."""

    id: int
    queue: str
    task: str
    name: str | None
    state: State
    priority: int
    attempt: int
    max_attempts: int | None
    param: str | None
    """Its head."""
    run_at: float | None
    started_at: float | None
    took_ms: int | None
    ctime: float | None
    mtime: float | None
    error: str | None
    """The head of the last attempt's, if one failed."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, the newest first."""

    rows: list[Row]
    looked: int
    """Rows that were looked at for it."""
    before: int | None
    """Where the next page begins; None where there is none."""

    @property
    def cut(self) -> bool:
        """More was to be looked at than for one page."""
        return self.before is not None and len(self.rows) < PAGE


def page(connection: Connection, wanted: Browse, before: int | None = None) -> Page:
    """The page that begins below the id `before`."""
    among = _places(connection, wanted)
    conditions, values = wanted.conditions(connection.backend)
    if among is None:
        for column, value in (("queue", wanted.queue), ("status", wanted.state)):
            if value is not None:
                conditions += (f"{column} = :{column}",)
                values[column] = value if isinstance(value, str) else int(value)
    fitting = Statement(" AND ".join((_FITTING, *conditions)))
    if before is None:
        before = LAST_ID
        if wanted.until is not None:
            before = first_since(connection, wanted.until) or LAST_ID
    found: list[int] = []
    looked, ends = 0, time.monotonic() + LOOK_FOR
    while True:
        # One more than a page tells whether there is another.
        most = _AT_ONCE if conditions else PAGE + 1
        ids = _next(connection, among, before, most)
        fits = (
            [int(row[0]) for row in connection.rows(fitting, ids=ids, **values)]
            if conditions and ids
            else ids
        )
        found += sorted(fits, reverse=True)
        looked += len(ids)
        if len(found) > PAGE:
            del found[PAGE:]
            return Page(some(connection, found), looked, found[-1])
        if len(ids) < most:
            return Page(some(connection, found), looked, None)
        before = ids[-1]
        if looked >= LOOK_MOST or time.monotonic() > ends:
            return Page(some(connection, found), looked, before)


def _places(connection: Connection, wanted: Browse) -> list[dict[str, Any]] | None:
    """Those that hold all that may fit; None for all rows."""
    if wanted.state is None and wanted.queue is None:
        return None
    states = tuple(State) if wanted.state is None else (wanted.state,)
    return places.places(connection, wanted.queue, states, PLACES_MOST)


def _next(
    connection: Connection, among: list[dict[str, Any]] | None, before: int, most: int
) -> list[int]:
    """The newest ids below `before`."""
    if among is None:
        return [int(row[0]) for row in connection.rows(_ALL, before=before, most=most)]
    ids: list[int] = []
    for place in among:
        ids += places.newest(connection, place, before, most)
    return sorted(ids, reverse=True)[:most]


def some(connection: Connection, ids: list[int]) -> list[Row]:
    """Those of `ids` that are there, the newest first."""
    return [_row(row) for row in connection.rows(_ROWS, ids=ids)] if ids else []


def _row(row: Any) -> Row:
    values = list(row)
    for place in (3, 8):
        if isinstance(values[place], bytes):
            values[place] = values[place].decode("utf-8", "replace")
    values[4] = State(values[4])
    for place in (9, 10, 12, 13):
        values[place] = None if values[place] is None else float(values[place])
    return Row(*values)
