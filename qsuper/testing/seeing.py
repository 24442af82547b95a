"""Jobs as a test asks for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from qsuper.client import Queue
from qsuper.errors import ParamError
from qsuper.states import State
from qsuper.store import listing
from qsuper.store.listing import Filter
from qsuper.tasks.codecs import CODECS
from qsuper.tasks.configured import configured

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class SeenJob:
    """A row of `queue`, read."""

    id: int
    task: str
    param: Any
    """Its arguments by name, or a list of them where they have none; as the column holds it where
    it cannot be read."""
    state: State
    queue: str
    name: str | None
    priority: int
    attempt: int
    run_at: datetime
    error: str | None
    """Of its last attempt, if one has failed."""


def jobs(
    queue: Queue, task: str | None = None, *, state: State | None = None, name: str | None = None
) -> list[SeenJob]:
    """The jobs there are, the oldest first: of one task, in one state, of one name, or all."""
    wanted = Filter(task=task, state=state, name=name, most=_MOST)
    return list(_seen(queue, reversed(listing.jobs(queue.database, wanted))))


def _seen(queue: Queue, rows: Iterator[dict[str, Any]]) -> Iterator[SeenJob]:
    for row in rows:
        yield SeenJob(
            id=row["id"],
            task=row["task"],
            param=_read(queue, row["task"], row["param"]),
            state=State[row["state"].upper()],
            queue=row["queue"],
            name=row["name"],
            priority=row["priority"],
            attempt=row["attempt"],
            run_at=datetime.fromtimestamp(row["run_at"] or 0.0, UTC),
            error=row["error"],
        )


def _read(queue: Queue, task: str, param: Any) -> Any:
    known = queue.registry.get(task)
    settings = queue.config.tasks.get(task)
    if known is not None:
        codec = configured(known, queue.config).codec
    else:
        codec = CODECS[(settings and settings.codec) or "json"]
    try:
        args, kwargs = codec.decode(param)
    except ParamError:
        return param
    return args or kwargs
