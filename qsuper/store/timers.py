"""Timers: named jobs that wait for their time."""

from qsuper.job import check_name
from qsuper.states import State
from qsuper.store import cancelling
from qsuper.store.backend import Statement
from qsuper.store.enqueueing import Writer

_CANCEL = Statement(f"{cancelling.CANCEL} WHERE {{live}} AND {{status}} IN (0, 4, 6)")
_MARK = Statement(f"{cancelling.MARK} WHERE {{live}} AND {{status}} = 2 AND cancel = 0")
_LIVE_STATE = Statement("SELECT status, cancel FROM queue WHERE {live} {as_it_is}")
_LIVE_ID = Statement("SELECT id FROM queue WHERE {live}")
_DUE_IN = Statement(
    "SELECT {unix:run_at} - {unix_now} FROM queue WHERE {live} AND {status} IN (0, 4, 6)"
)


def cancel(writer: Writer, name: str, *, running: bool = False) -> State | None:
    """Take the waiting job of this name back: one guarded UPDATE wins or loses against its firing.

    Returns the state in which that left it, or None when no live job has the name. RUNNING means
    that it was too late; with `running` it is to be ended then, and keeps its name until it is
    `cancelled`. Raises `ParamError` for what cannot be a name.
    """
    raw = _raw(writer, name)
    while True:
        if writer.run(_CANCEL, name=raw):
            return State.CANCELLED
        if running and writer.run(_MARK, name=raw):
            return State.RUNNING
        rows = writer.rows(_LIVE_STATE, name=raw)
        if not rows:
            return None
        state, marked = State(rows[0][0]), bool(rows[0][1])
        if cancelling.settled(state, marked, running):
            return state


def live_id(writer: Writer, name: str) -> int | None:
    """The job that has this name now, waiting or running."""
    rows = writer.rows(_LIVE_ID, name=_raw(writer, name))
    return int(rows[0][0]) if rows else None


def due_in(writer: Writer, name: str) -> float | None:
    """Seconds until the waiting job of this name may run, on the database's clock, 0.0 when it
    is overdue; None when none waits."""
    rows = writer.rows(_DUE_IN, name=_raw(writer, name))
    return max(0.0, float(rows[0][0])) if rows else None


def _raw(writer: Writer, name: str) -> str | bytes:
    check_name(name)
    return name.encode() if writer.backend.name == "mysql" else name
